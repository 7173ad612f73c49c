//! A mistake in the configuration, and what an engineer reads of it.

/// A row of the table of mistakes.
#[derive(Debug)]
pub(crate) struct Row {
    /// What was done wrong.
    pub(crate) name: &'static str,
    /// What is read: an error, a line of the log, a line of the self-test, a body.
    pub(crate) read: String,
    /// The setting, method or key, as its user writes it.
    pub(crate) setting: &'static str,
    pub(crate) value: Value,
    /// What to do.
    pub(crate) cure: &'static str,
}

/// How a text names the value that is at fault.
#[derive(Debug)]
pub(crate) enum Value {
    /// It must not be shown.
    Secret(&'static str),
    Shown(&'static str),
    /// There is none, and the text says so.
    Unset,
}

impl Row {
    /// Returns what the text lacks of the setting, the value and the cure.
    pub(crate) fn faults(&self) -> Vec<String> {
        let Self { name, read, .. } = self;
        let lacks = |part: &str| !read.contains(part);
        let mut faults = Vec::new();
        let mut fault = |what: &str| faults.push(format!("{name}: {what} in {read:?}"));
        if lacks(self.setting) {
            fault(&format!("no setting {:?}", self.setting));
        }
        match self.value {
            Value::Secret(secret) if !lacks(secret) => fault("a secret"),
            Value::Shown(value) if lacks(value) => fault(&format!("no value {value:?}")),
            Value::Unset if lacks("is not set") => fault("no word that it is not set"),
            _ => {}
        }
        if lacks(self.cure) {
            fault(&format!("no cure {:?}", self.cure));
        }
        if read.lines().count() != 1 {
            fault("no single line");
        }
        faults
    }
}
