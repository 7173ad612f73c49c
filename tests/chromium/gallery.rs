//! Every page that there is, and how a browser gets to see it. A new page is one line here.

use std::{future::Future, pin::Pin};

use tower_magic_link::{
    Builder, SignIn,
    page::{CrossDevice, Page},
};

use self::{begun::begun, codes::codes, elsewhere::elsewhere, ended::ended};
use crate::{chromium::Chromium, drawn, stage::Stage};

mod begun;
mod codes;
mod elsewhere;
mod ended;

/// A page, by the name of its picture.
pub(crate) struct Screen {
    pub(crate) name: String,
    pub(crate) way: Way,
}

/// How a browser gets to see a page.
pub(crate) enum Way {
    /// It is drawn as the layer would draw it, and served with the layer's own headers.
    Drawn(Page<'static>),
    /// The browser, whose jar is empty, walks there; in the end it is at the page with this
    /// heading.
    Walked(Rules, &'static str, Walk),
}

/// By which rules people sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rules {
    Code,
    Confirm,
    LinkAndCode,
    Refuse,
    Usual,
}

type Walk = for<'a> fn(&'a Stage, &'a Chromium) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) const LOGIN: &str = "/auth/login?return_to=/reports";

impl Rules {
    pub(crate) const ALL: [Self; 5] = [
        Self::Code,
        Self::Confirm,
        Self::LinkAndCode,
        Self::Refuse,
        Self::Usual,
    ];

    /// Sets them.
    pub(crate) fn set(self, builder: Builder) -> Builder {
        match self {
            Self::Code => builder.sign_in(SignIn::Code),
            Self::Confirm => builder.cross_device(CrossDevice::Confirm),
            Self::LinkAndCode => builder.sign_in(SignIn::LinkAndCode),
            Self::Refuse => builder.cross_device(CrossDevice::Refuse),
            Self::Usual => builder,
        }
    }
}

impl Way {
    /// Returns the rules under which the page is there.
    pub(crate) const fn rules(&self) -> Rules {
        match self {
            Self::Drawn(_) => Rules::Usual,
            Self::Walked(rules, ..) => *rules,
        }
    }
}

/// Returns every page.
pub(crate) fn screens() -> Vec<Screen> {
    let mut screens = begun();
    screens.extend(elsewhere());
    screens.extend(codes());
    screens.extend(ended());
    screens.extend(drawn::screens());
    screens
}

fn walked(name: &str, rules: Rules, heading: &'static str, walk: Walk) -> Screen {
    Screen {
        name: name.to_owned(),
        way: Way::Walked(rules, heading, walk),
    }
}

const NO_VALIDATION: &str = "document.forms[0].noValidate = true";
