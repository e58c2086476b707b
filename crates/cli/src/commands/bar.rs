//! Progress bars: on standard error, and only where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How a bar of things looks that are done one after the other.
pub(super) const OF_THINGS: &str = "{wide_bar} {percent:>3}%  {msg}";

/// A bar up to a length, where that is known; hidden where it is not wanted.
pub(super) fn bar(wanted: bool, length: Option<u64>, template: &str) -> ProgressBar {
    let target = if wanted { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(length, target);
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸ "));
    }
    bar
}
