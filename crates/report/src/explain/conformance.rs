//! What contradicts the RFCs, or is worth knowing.

use super::claim::{Claim, Subject};
use super::view::View;
use super::words::{capital, counted};
use subflow_analysis::rows::{EventKind, Finding};

/// Findings of one kind on one connection beyond which the rest are counted only.
const MOST: usize = 20;

pub(super) fn claims(view: &View<'_>, claims: &mut Vec<Claim>) {
    for &finding in Finding::ALL {
        let events: Vec<_> = view.events.iter().filter(|event| event.finding == Some(finding)).collect();
        for event in events.iter().take(MOST) {
            let weight = match event.kind {
                EventKind::Violation => "Against the RFC",
                _ => "Worth knowing",
            };
            let text = format!(
                "{weight}: {}: {}. {}",
                view.place_of(event.frame, event.time, event.subflow_id, event.direction),
                event.detail,
                finding.doc().trim()
            );
            claims.push(
                Claim::new(view.id(), Subject::Conformance, finding.as_str(), event.rule.unwrap_or_default())
                    .at(event.time)
                    .on(event.subflow_id)
                    .towards(event.direction)
                    .proved_by([event.frame])
                    .say(text),
            );
        }
        if let Some(more) = events.len().checked_sub(MOST).filter(|&more| more > 0) {
            let frames = events[MOST..].iter().map(|event| event.frame);
            let rule = events[0].rule.unwrap_or_default();
            let mut claim = Claim::new(view.id(), Subject::Conformance, finding.as_str(), rule)
                .proved_by(frames)
                .say(format!("{} more of `{finding}`.", counted(more as u64, "finding")));
            claim.packets = more as u64;
            claims.push(claim);
        }
    }
    let connection = view.connection;
    if let (Some(right), Some(wrong), Some(unverified)) =
        (connection.checksums_right, connection.checksums_wrong, connection.checksums_unverified)
        && right + wrong + unverified > 0
    {
        let text = format!(
            "DSS checksums were agreed upon: {} right, {wrong} wrong, {unverified} could not be verified (packets cut by the snap length, \
             lost, or out of order).",
            capital(&counted(right, "mapping"))
        );
        let rule = "RFC 8684 (RFC 6824), section 3.3.1";
        claims.push(Claim::new(view.id(), Subject::Conformance, "checksums", rule).say(text));
    }
}

/// All findings as a Markdown table, for the guide.
pub fn table() -> String {
    let mut page = String::from("| finding | weight | rule | what it means |\n|---|---|---|---|\n");
    for finding in Finding::ALL {
        let [v1, v0] = finding.rules();
        let rule = if v1 == v0 { v1.to_owned() } else { format!("{v1}; {v0}") };
        page.push_str(&format!("| `{finding}` | {} | {rule} | {} |\n", finding.kind(), finding.doc().trim()));
    }
    page
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_guide_lists_every_finding_as_the_code_does() {
        let page = include_str!("../../../../docs/src/explain.md");
        let table = super::table();
        assert!(page.contains(&table), "docs/src/explain.md should hold this table:\n{table}");
    }
}
