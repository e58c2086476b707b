//! A long capture out of a short one: the same packets again and again, later each time.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, bail};
use subflow_capture::{Input, Packet, pcap};
use subflow_wire::LinkType;

/// Between the last packet of one repetition and the first of the next, in nanoseconds. Longer than the idle limit of an
/// hour, so that connections which the end of the capture cut off have ended: open ones do not pile up.
const PAUSE: i64 = 3_660_000_000_000;

/// What a capture holds.
pub(super) struct Base {
    pub(super) packets: u64,
    link: LinkType,
    first: i64,
    last: i64,
}

/// Looks through a capture.
pub(super) fn look(path: &Path) -> Result<Base> {
    let mut base: Option<Base> = None;
    each(path, |packet| {
        let base = base.get_or_insert(Base {
            packets: 0,
            link: packet.link,
            first: packet.time_ns,
            last: packet.time_ns,
        });
        if base.link != packet.link {
            bail!("{} mixes link types, which pcap cannot hold", path.display());
        }
        base.packets += 1;
        base.first = base.first.min(packet.time_ns);
        base.last = base.last.max(packet.time_ns);
        Ok(())
    })?;
    base.with_context(|| format!("{} has no packets", path.display()))
}

/// Writes a capture so many times into one pcap file.
pub(super) fn write(path: &Path, base: &Base, times: u64, to: &Path) -> Result<()> {
    let file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut writer =
        pcap::Writer::new(BufWriter::with_capacity(1 << 20, file), base.link, pcap::Resolution::Nanos)?;
    for time in 0..i64::try_from(times)? {
        let shift = time * (base.last - base.first + PAUSE);
        each(path, |packet| Ok(writer.write(packet.time_ns + shift, packet.wire_len, packet.data)?))?;
    }
    writer.finish()?;
    Ok(())
}

fn each(path: &Path, mut work: impl FnMut(&Packet<'_>) -> Result<()>) -> Result<()> {
    let mut input = Input::open(&[path.to_owned()])?;
    while let Some(packet) = input.next_packet() {
        work(&packet)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PAUSE, each, look, write};
    use std::path::Path;

    #[test]
    fn repetitions_follow_one_another() {
        let example = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/checksum.pcap.zst"));
        let dir = tempfile::tempdir().unwrap();
        let to = dir.path().join("repeated.pcap");
        let base = look(example).unwrap();
        write(example, &base, 3, &to).unwrap();
        let mut times = Vec::new();
        each(&to, |packet| {
            times.push(packet.time_ns);
            Ok(())
        })
        .unwrap();
        let packets = base.packets as usize;
        assert_eq!(times.len(), 3 * packets);
        assert!(times.is_sorted());
        assert_eq!(times[packets] - times[packets - 1], PAUSE);
        assert_eq!(times[packets] - times[0], times[2 * packets] - times[packets]);
    }
}
