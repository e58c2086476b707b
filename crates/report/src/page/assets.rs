//! What every page holds: the style sheet, the scripts, plotly.

use plotly::Plot;
use std::sync::OnceLock;

/// The style sheet.
pub(super) const STYLE: &str = include_str!("../../assets/page.css");

/// The scripts of every page, in order.
pub(super) const SCRIPTS: [&str; 4] = [
    include_str!("../../assets/page.js"),
    include_str!("../../assets/figure.js"),
    include_str!("../../assets/table.js"),
    include_str!("../../assets/choice.js"),
];

/// The source of plotly.js.
///
/// The crate hands out script elements, of plotly and of a typesetter of formulas, which no page needs.
pub(super) fn plotly() -> &'static str {
    static SOURCE: OnceLock<String> = OnceLock::new();
    SOURCE.get_or_init(|| {
        let elements = Plot::offline_js_sources();
        let inside = elements.split("<script type=\"text/javascript\">").nth(1).unwrap_or_default();
        inside.split("</script>").next().unwrap_or_default().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{SCRIPTS, plotly};

    #[test]
    fn plotly_is_there_and_whole() {
        let source = plotly();
        assert!(source.contains("plotly.js v"));
        assert!(source.contains("newPlot"));
        assert!(!source.contains("MathJax.loader"), "the typesetter is left out");
        assert!(source.trim_end().ends_with("}));"), "{}", &source[source.len() - 40..]);
    }

    #[test]
    fn our_scripts_do_not_end_their_element() {
        assert!(SCRIPTS.iter().all(|script| !script.contains("</script")));
    }
}
