//! JSON inside a script element.

/// Makes a JSON document safe inside `<script type="application/json">`: nothing in it can end the element. Outside of
/// strings JSON has none of these characters, so that the document means the same.
pub(super) fn in_script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\u{2028}' => safe.push_str("\\u2028"),
            '\u{2029}' => safe.push_str("\\u2029"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::in_script;

    #[test]
    fn the_document_means_the_same_and_holds_no_tag() {
        let text = "</script><!-- & \u{2028}";
        let safe = in_script(&serde_json::to_string(text).expect("JSON"));
        assert!(!safe.contains(['<', '>', '&', '\u{2028}']));
        assert_eq!(serde_json::from_str::<String>(&safe).expect("JSON"), text);
    }
}
