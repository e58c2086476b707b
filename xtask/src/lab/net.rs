//! Two network namespaces with two paths between them. All packets stay inside.

use std::path::{Path, PathBuf};
use std::process::{Command, id};
use std::{env, fs};

use anyhow::Result;

use crate::shell::{execute, output, words};

/// How the names of our namespaces begin; the process's id follows.
const PREFIX: &str = "subflow-lab";

/// A network namespace; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Namespace(String);

impl Namespace {
    /// Makes one, named after this process and what it is for.
    pub(crate) fn make(end: &str) -> Result<Self> {
        remove_stale();
        // From here on, dropping this removes what there is.
        let namespace = Self(format!("{PREFIX}-{}-{end}", id()));
        execute(words("ip netns add").arg(&namespace.0))?;
        namespace.ip("link set lo up")?;
        Ok(namespace)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.0
    }

    /// A command that runs inside.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = words("ip netns exec");
        command.arg(&self.0).arg(program);
        command
    }

    /// Runs `ip` for it.
    pub(crate) fn ip(&self, args: &str) -> Result<()> {
        execute(words("ip -n").arg(&self.0).args(args.split_whitespace()))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

/// The namespaces and a folder for captures; all of it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Lab {
    client: Namespace,
    server: Namespace,
    dir: PathBuf,
}

/// Address of the server on the first path, where it listens.
pub(super) const SERVER: &str = "10.77.1.2";

impl Lab {
    /// Makes them.
    pub(super) fn new() -> Result<Self> {
        let (client, server) = (Namespace::make("client")?, Namespace::make("server")?);
        let dir = env::temp_dir().join(format!("{PREFIX}-{}", id()));
        fs::create_dir_all(&dir)?;
        let lab = Self { client, server, dir };
        lab.build()?;
        Ok(lab)
    }

    fn build(&self) -> Result<()> {
        let (client, server) = (&self.client, &self.server);
        for namespace in [client, server] {
            let enable = "echo 1 > /proc/sys/net/mptcp/enabled";
            execute(namespace.command("sh").args(["-c", enable]))?;
            namespace.ip("mptcp limits set subflows 2 add_addr_accepted 2")?;
        }
        for path in 1..=2 {
            client.ip(&format!("link add c{path} type veth peer name s{path} netns {}", server.name()))?;
            client.ip(&format!("addr add 10.77.{path}.1/24 dev c{path}"))?;
            server.ip(&format!("addr add 10.77.{path}.2/24 dev s{path}"))?;
            client.ip(&format!("link set c{path} up"))?;
            server.ip(&format!("link set s{path} up"))?;
        }
        // The client joins the address that the server announces.
        server.ip("mptcp endpoint add 10.77.2.2 dev s2 signal")
    }

    /// The client's namespace, where the capture is taken.
    pub(super) fn client(&self) -> &Namespace {
        &self.client
    }

    /// The server's.
    pub(super) fn server(&self) -> &Namespace {
        &self.server
    }

    /// A folder for files that are needed as long as the lab.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Nothing to be done about a folder that stays.
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn remove(namespace: &str) {
    let _ = words("ip netns delete").arg(namespace).stderr(std::process::Stdio::null()).status();
}

/// Removes namespaces of runs that were killed.
fn remove_stale() {
    let names = output(&mut words("ip netns list")).unwrap_or_default();
    for name in names.lines().filter_map(|line| line.split_whitespace().next()) {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').nth(1));
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(name);
        }
    }
}
