//! Files for other tools, before they are written.

/// A file to be written: its name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Name without a folder.
    pub name: String,
    /// The whole content.
    pub text: String,
}
