//! `subflow verify`, `subflow check` and `subflow serve-check`: what is refused, and what they say in network namespaces.
//!
//! The latter need root, iproute2, python3 and a kernel with MPTCP; where something lacks they say so and have nothing to test.

mod support;

#[cfg(target_os = "linux")]
#[path = "support/wire.rs"]
#[allow(dead_code, reason = "not everything is needed here")]
mod wire;

use support::subflow;

/// Runs a command that is refused before anything is sent: what it says.
fn refused(arguments: &[&str]) -> String {
    let output = subflow().args(arguments).output().expect("runs");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &[][..]), "{told}");
    told
}

#[test]
fn what_is_refused_says_what_to_do() {
    assert!(refused(&["verify"]).contains("hint: name servers as example.org:443"));
    assert!(refused(&["verify", "192.0.77.0/24"]).contains("many of them come from --list or --from"));
    assert!(refused(&["verify", "10.0.0.1", "--probe", "v2"]).contains("v1 (RFC 8684) and v0 (RFC 6824)"));
    let nine: Vec<String> = (1..=9).map(|last| format!("8.8.8.{last}:80")).collect();
    let many: Vec<&str> = ["verify"].into_iter().chain(nine.iter().map(String::as_str)).collect();
    assert!(refused(&many).contains("--i-have-permission"));
    assert!(refused(&["check"]).contains("<SERVER>"));
    assert!(refused(&["check", "http://host/"]).contains("subflow serve-check"));
    assert!(refused(&["check", "--fetch", "ftp://host/"]).contains("no URL of http or https"));
}

#[test]
fn a_folder_without_a_scan_is_named() {
    let dir = tempfile::tempdir().expect("a folder");
    let told = refused(&["verify", "--from", dir.path().to_str().expect("UTF-8")]);
    assert!(told.contains("holds no table `targets`") && told.contains("subflow scan"), "{told}");
}

#[cfg(target_os = "linux")]
mod lab {
    use super::wire::{end, one_link, run, start, start_in};
    use serde_json::Value;
    use std::fs;
    use std::thread::sleep;
    use std::time::Duration;

    fn rows(text: &str) -> Vec<Value> {
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    #[test]
    fn servers_in_words_and_rows() {
        let Some((lab, _server)) = one_link(&[(true, 1, 80), (false, 2, 80)]) else { return };
        let (code, text, told) = run(&lab, "verify 10.6.0.1:80 [fd06::1]:80");
        assert_eq!((code, told.as_str()), (Some(0), ""), "{text}");
        assert_eq!(text.matches("v1  true support").count(), 2, "{text}");
        assert_eq!(text.matches("v0  falls back").count(), 2, "{text}");
        assert!(text.contains("2 servers, 2 with Multipath TCP"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        // One of those named does not support it.
        let (code, text, told) = run(&lab, "verify 10.6.0.1:80 10.6.0.2:80 10.6.0.3:80 --probe v1 -f jsonl");
        assert_eq!(code, Some(1), "{told}");
        assert!(told.contains("3 servers, 1 with Multipath TCP"), "{told}");
        let mut found: Vec<(String, String)> =
            rows(&text).iter().map(|row| (row["addr"].to_string(), row["conclusion"].to_string())).collect();
        found.sort();
        let expected = [("1", "true_support"), ("2", "falls_back"), ("3", "closed")]
            .map(|(last, conclusion)| (format!("\"10.6.0.{last}\""), format!("\"{conclusion}\"")));
        assert_eq!(found, expected);
    }

    #[test]
    fn what_a_scan_found_is_verified() {
        let Some((lab, _server)) = one_link(&[(true, 1, 80), (false, 2, 80)]) else { return };
        let out = lab.file("out").display().to_string();
        let (code, _, told) =
            run(&lab, &format!("scan 10.6.0.0/29 fd06::/125 --special -p 80 --cooldown 0.3 -o {out}"));
        assert_eq!(code, Some(0), "{told}");
        let (code, text, told) = run(&lab, &format!("verify --from {out} -o {out}"));
        assert_eq!((code, text.as_str()), (Some(0), ""), "{told}");
        assert!(told.contains("2 servers, 2 with Multipath TCP"), "{told}");
        let (_, text, _) = run(
            &lab,
            &format!("query {out} \"SELECT addr,version,conclusion FROM verifications ORDER BY 1\" -f csv"),
        );
        assert_eq!(text, "addr,version,conclusion\n10.6.0.1,1,true_support\nfd06::1,1,true_support\n");
        // The same by a pipe.
        let (code, text, told) = run(
            &lab,
            &format!(
                "query {out} \"SELECT * FROM targets\" -f csv | {} verify --from - -f csv",
                env!("CARGO_BIN_EXE_subflow")
            ),
        );
        assert_eq!((code, text.lines().count()), (Some(0), 3), "{told}");
    }

    #[test]
    fn a_check_between_two_hosts() {
        let Some((lab, _server)) = one_link(&[(true, 9, 9)]) else { return };
        lab.set('a', "net.mptcp.enabled=1");
        let server = start_in(&lab, 'b', "serve-check --port 80,8080", "served");
        while !fs::read_to_string(lab.file("served")).is_ok_and(|text| text.contains("on the other host")) {
            sleep(Duration::from_millis(20));
        }
        let (code, text, told) = run(&lab, "check 192.168.77.2:80,8080");
        assert_eq!(code, Some(0), "{told}");
        assert_eq!(text.matches("Multipath TCP works.").count(), 2, "{text}");
        assert!(text.contains("Not affected: Multipath TCP works on 2 paths."), "{text}");
        let (code, text, told) = run(&lab, "check [fd77::2]:80 -f jsonl");
        assert_eq!(code, Some(0), "{told}");
        let found = rows(&text);
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["verdict"], &found[0]["nat"]), (&"works".into(), &false.into()));
        // A firewall that drops SYNs with the option.
        let rules = "table inet t {\nchain in {\ntype filter hook input priority 0;\n\
                     tcp flags syn tcp option mptcp exists drop\n}\n}\n";
        if !lab.nft('b', rules) {
            return;
        }
        let (code, text, told) = run(&lab, "check 192.168.77.2:80 --tries 1 --connect-timeout 0.5");
        assert_eq!(code, Some(1), "{text} {told}");
        assert!(text.contains("a box drops SYNs with the option"), "{text}");
        assert!(text.contains("Affected: Multipath TCP is kept from working on 1 path."), "{text}");
        drop(server);
    }

    #[test]
    fn downloads_are_compared() {
        let Some((lab, _server)) = one_link(&[(true, 1, 80)]) else { return };
        lab.set('a', "net.mptcp.enabled=1");
        let (code, text, told) = run(&lab, "check --fetch http://10.6.0.1/ -n 6");
        assert_eq!(code, Some(0), "{told}");
        assert!(text.contains("6 times each way"), "{text}");
        assert!(text.contains("Multipath TCP was in use to the end in all connections"), "{text}");
        let process = start(&lab, "check --fetch http://10.6.0.1/ -n 2 -f csv");
        let (code, text, _) = end(&lab, process);
        assert_eq!((code, text.lines().count()), (Some(0), 5), "{text}");
        let (code, _, told) = run(&lab, "check --fetch http://10.6.0.1:81/ -n 1");
        assert_eq!(code, Some(1));
        assert!(told.contains("error: "), "{told}");
    }
}
