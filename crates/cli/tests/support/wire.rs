//! The command in network namespaces: a prober and, one link away, servers.

#[path = "../../../probe/tests/lab/support.rs"]
mod support;

use std::fs;
use std::io::Read;
pub(crate) use support::{Lab, Process};

/// A prober in namespace `a` and, in `b`, one link away, addresses of 10.6.0.0/24 and fd06::/120. Servers are given as whether
/// they speak Multipath TCP, the last byte of their address, and their port; all else refuses. `None`, said loudly, where that
/// is not possible.
pub(crate) fn one_link(servers: &[(bool, u8, u16)]) -> Option<(Lab, Process)> {
    let lab = Lab::new(2)?;
    lab.link('a', 'b');
    for (namespace, end, v4, v6) in
        [('a', "tob", "192.168.77.1/24", "fd77::1/64"), ('b', "toa", "192.168.77.2/24", "fd77::2/64")]
    {
        lab.ip(namespace, &format!("addr add {v4} dev {end}"));
        lab.ip(namespace, &format!("-6 addr add {v6} dev {end} nodad"));
    }
    lab.ip('a', "route add default via 192.168.77.2");
    lab.ip('a', "-6 route add default via fd77::2");
    lab.ip('b', "route add local 10.6.0.0/24 dev lo");
    lab.ip('b', "-6 route add local fd06::/120 dev lo");
    let sockets: Vec<_> = servers
        .iter()
        .flat_map(|&(mptcp, last, port)| {
            [(mptcp, format!("10.6.0.{last}"), port), (mptcp, format!("fd06::{last:x}"), port)]
        })
        .collect();
    let sockets: Vec<_> = sockets.iter().map(|(mptcp, addr, port)| (*mptcp, addr.as_str(), *port)).collect();
    let server = lab.serve('b', &sockets)?;
    Some((lab, server))
}

/// Starts the command in namespace `a`, without environment or configuration; what it says goes to the file `told`.
pub(crate) fn start(lab: &Lab, arguments: &str) -> Process {
    start_in(lab, 'a', arguments, "told")
}

/// The same in any namespace, and with any file.
pub(crate) fn start_in(lab: &Lab, namespace: char, arguments: &str, told: &str) -> Process {
    let command = env!("CARGO_BIN_EXE_subflow");
    let told = lab.file(told).display().to_string();
    let line = format!("exec env -i XDG_CONFIG_HOME=/nonexistent {command} {arguments} 2> {told}");
    lab.start(namespace, "sh", &["-c", &line])
}

/// Waits for its end: its exit code, what it printed and what it said.
pub(crate) fn end(lab: &Lab, mut process: Process) -> (Option<i32>, String, String) {
    let mut out = process.0.stdout.take().expect("piped");
    let mut text = String::new();
    out.read_to_string(&mut text).expect("text");
    let code = process.0.wait().expect("it ends").code();
    (code, text, fs::read_to_string(lab.file("told")).expect("what it says"))
}

/// Runs the command in namespace `a` to its end.
pub(crate) fn run(lab: &Lab, arguments: &str) -> (Option<i32>, String, String) {
    end(lab, start(lab, arguments))
}
