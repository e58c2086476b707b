//! Connections written by hand: what the analysis says of captures at both ends is what the ends knew.

use subflow_sim::capture::{Place, Settings, Taps};
use subflow_sim::observe::End;
use subflow_sim::truth::Truth;

use crate::compare::{analyze, differences, violations};
use crate::script;

#[test]
fn captures_of_scripts_are_analysed_to_the_truth() {
    let mut wrong = Vec::new();
    for (name, script) in script::all() {
        let settings = Settings { snap: 0, ..Settings::default() };
        let mut taps = Taps::new(settings);
        for end in [End::Client, End::Server] {
            taps.add(Place::Ends(end), Vec::new()).unwrap();
        }
        let mut observer = (Truth::new(settings), taps);
        script.play(&mut observer);
        let (truth, taps) = (observer.0.finish(), observer.1);
        for (end, capture) in [End::Client, End::Server].into_iter().zip(taps.finish().unwrap()) {
            let tables = analyze(capture);
            let mut found = differences(&tables, &truth, end);
            // A box changed the payload: that a checksum is wrong is what should be found.
            found.extend(violations(&tables).into_iter().filter(|_| !name.starts_with("checksum")));
            wrong.extend(found.into_iter().map(|text| format!("{name}, {end}: {text}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
