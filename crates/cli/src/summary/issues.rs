//! What could not be read.

use super::sheet::Sheet;
use crate::text::{counted, grouped};
use subflow_analysis::rows::Issue;

/// Issues that are told one by one.
const TOLD: usize = 10;

pub(super) fn render(issues: &[Issue]) -> String {
    let mut sheet = Sheet::new(&["file", "what", "at byte", "times"], 2);
    for issue in issues.iter().take(TOLD) {
        let offset = issue.offset.map(grouped).unwrap_or_default();
        sheet.row([issue.file.clone(), issue.reason.clone(), offset, grouped(issue.count)]);
    }
    let mut text = sheet.under("What could not be read");
    let untold = u64::try_from(issues.len().saturating_sub(TOLD)).unwrap_or(u64::MAX);
    if untold > 0 {
        text.push_str(&format!("  and {} in the table `issues`\n", counted(untold, "more row")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_are_told_and_the_rest_is_counted() {
        let issue = |offset| Issue {
            file: "a.pcap".to_owned(),
            offset: Some(offset),
            reason: "file ends inside a packet record".to_owned(),
            count: 1,
            lost: true,
        };
        assert_eq!(render(&[]), "");
        let text = render(&(0..12_000).map(issue).collect::<Vec<_>>());
        assert_eq!(text.lines().count(), 2 + TOLD + 1, "{text}");
        assert!(text.ends_with("\n  and 11,990 more rows in the table `issues`\n"), "{text}");
    }
}
