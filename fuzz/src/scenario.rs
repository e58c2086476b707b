//! Scenarios of simulations: TOML, and the tables and traces that it names.

use std::io;

use subflow_sim::scenario::Scenario;

/// A scenario; every file that it names holds the same text.
pub fn scenario(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut read = |name: &str| -> io::Result<String> {
        if name.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(text.to_owned()) }
    };
    match Scenario::parse(text, "fuzz.toml", &mut read) {
        Ok(scenario) => {
            assert!(!scenario.schemes.is_empty() && !scenario.seeds.is_empty());
            assert!(scenario.warm_up < scenario.duration);
            assert!(scenario.loads.iter().all(|load| load.is_finite() && *load > 0.0));
            assert!(scenario.topology.graph().is_ok(), "a network that cannot be built was taken");
        }
        Err(error) => assert!(error.to_string().starts_with("fuzz.toml"), "{error}"),
    }
}
