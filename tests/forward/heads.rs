//! The heads that a server was sent.

use std::{
    future::ready,
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, extract::Request, middleware::map_request};
use http::{HeaderMap, Method};

/// One request as a server got it.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) fields: HeaderMap,
}

/// All that a server got.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads(Arc<Mutex<Vec<Head>>>);

impl Head {
    /// Returns the values of a field.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let values = self.fields.get_all(name).iter();
        values.map(|value| value.to_str().unwrap_or("?")).collect()
    }
}

impl Heads {
    /// Notes every request of a router.
    pub(crate) fn before(&self, app: Router) -> Router {
        let heads = self.clone();
        app.layer(map_request(move |request: Request| {
            heads.note(&request);
            ready(request)
        }))
    }

    /// Returns what was noted since the last time.
    pub(crate) fn take(&self) -> Vec<Head> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn note(&self, request: &Request) {
        let head = Head {
            method: request.method().clone(),
            target: request.uri().to_string(),
            fields: request.headers().clone(),
        };
        let mut heads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heads.push(head);
    }
}
