//! Answers: JSON, pages and redirects, and how faults change them.

use std::{
    fmt, mem,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use serde_json::{Value, json};

/// One piece of a huge body: spaces.
const PIECE: &[u8] = &[b' '; 8 * 1_024];

/// The fields that older answers lack, or that the protocol calls optional.
const OPTIONAL: [&str; 12] = [
    "authentication_method",
    "custom_attributes",
    "expires_in",
    "groups",
    "locale",
    "metadata",
    "name",
    "raw_attributes",
    "role",
    "roles",
    "success",
    "token_type",
];

pub(super) type Answer = Response<AnswerBody>;

/// The connection ended because a test ordered it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("connection cut, as ordered")]
#[non_exhaustive]
pub struct ConnectionCut;

/// The body of an emulator's answer. It fails only if a test ordered it.
#[must_use]
pub struct AnswerBody(Shape);

enum Shape {
    /// Fails after these bytes, once the server has had a chance to write them.
    Cut {
        first: Bytes,
        missing: usize,
        is_flushed: bool,
    },
    /// Spaces before the bytes.
    Padded {
        spaces: usize,
        then: Bytes,
    },
    Whole(Bytes),
}

pub(super) fn json(status: StatusCode, value: &Value) -> Answer {
    new(status, "application/json; charset=utf-8", value.to_string())
}

pub(super) fn message(status: StatusCode, message: &str) -> Answer {
    json(status, &json!({ "message": message }))
}

/// Creates the answer for a system without randomness for an id.
pub(super) fn no_randomness(error: getrandom::Error) -> Answer {
    message(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())
}

pub(super) fn redirect(location: &str) -> Answer {
    let mut answer = new(StatusCode::FOUND, "", String::new());
    if let Ok(location) = HeaderValue::from_str(location) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// Creates an answer, without a `Content-Type` if that is empty or invalid.
pub(super) fn new(status: StatusCode, content_type: &str, body: String) -> Answer {
    let mut answer = Response::new(AnswerBody(Shape::Whole(body.into())));
    *answer.status_mut() = status;
    if !content_type.is_empty()
        && let Ok(content_type) = HeaderValue::from_str(content_type)
    {
        answer
            .headers_mut()
            .insert(header::CONTENT_TYPE, content_type);
    }
    answer
}

pub(super) fn cut(answer: Answer) -> Answer {
    answer.map(|body| {
        body.map_whole(|body| match body.len() {
            // An empty body has nothing to be cut off.
            0 => Shape::Whole(body),
            length => Shape::Cut {
                first: body.slice(..length / 2),
                missing: length - length / 2,
                is_flushed: false,
            },
        })
    })
}

pub(super) fn halve(answer: Answer) -> Answer {
    answer.map(|body| body.map_whole(|body| Shape::Whole(body.slice(..body.len() / 2))))
}

pub(super) fn pad(answer: Answer, spaces: usize) -> Answer {
    answer.map(|body| body.map_whole(|then| Shape::Padded { spaces, then }))
}

pub(super) fn empty(answer: Answer) -> Answer {
    answer.map(|body| body.map_whole(|_| Shape::Whole(Bytes::new())))
}

pub(super) fn without_optional(answer: Answer) -> Answer {
    answer.map(|body| {
        body.map_whole(|body| {
            // A page or a refusal has no fields to lose.
            let Ok(Value::Object(mut fields)) = serde_json::from_slice(&body) else {
                return Shape::Whole(body);
            };
            fields.retain(|name, _| !OPTIONAL.contains(&name.as_str()));
            for person in ["profile", "user"] {
                if let Some(Value::Object(person)) = fields.get_mut(person) {
                    person.retain(|name, _| !OPTIONAL.contains(&name.as_str()));
                }
            }
            Shape::Whole(Value::Object(fields).to_string().into())
        })
    })
}

impl AnswerBody {
    /// Creates a body that does not fail. The webhook's requests use it too.
    pub(super) const fn whole(body: Bytes) -> Self {
        Self(Shape::Whole(body))
    }

    fn map_whole(self, map: impl FnOnce(Bytes) -> Shape) -> Self {
        Self(match self.0 {
            Shape::Whole(body) => map(body),
            other => other,
        })
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").finish_non_exhaustive()
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = ConnectionCut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionCut>>> {
        let piece = match &mut self.0 {
            Shape::Cut { first, .. } if !first.is_empty() => mem::take(first),
            Shape::Cut { is_flushed, .. } if !*is_flushed => {
                // When a body fails, hyper drops the bytes that it has not written yet. When a body
                // is pending, it writes them.
                *is_flushed = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Shape::Cut { .. } => return Poll::Ready(Some(Err(ConnectionCut))),
            Shape::Padded { spaces: 0, then } | Shape::Whole(then) => mem::take(then),
            Shape::Padded { spaces, .. } => {
                let size = PIECE.len().min(*spaces);
                *spaces -= size;
                Bytes::from_static(PIECE).slice(..size)
            }
        };
        Poll::Ready((!piece.is_empty()).then(|| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.0, Shape::Whole(body) if body.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let length = match &self.0 {
            // The whole length, although the rest never comes: that is how a client notices the
            // cut.
            Shape::Cut { first, missing, .. } => first.len() + missing,
            Shape::Padded { .. } => return SizeHint::default(),
            Shape::Whole(body) => body.len(),
        };
        u64::try_from(length).map_or_else(|_| SizeHint::default(), SizeHint::with_exact)
    }
}
