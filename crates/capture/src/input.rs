//! The packets of all inputs.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::issue::Issues;
use crate::merge::{Merge, Pending, slot_size};
use crate::paths::{Wanted, expand};
use crate::source::{Content, Counting, Source};
use crate::stream::{SMALL_SLOT, Stream};
use crate::window::SLACK_NS;
use crate::{Error, FileInfo, Issue, Packet, Reason};

/// How far into a file its first packet is sought before the files are put in order; a file without a packet up to
/// there is opened first.
const PROBE: u64 = 1 << 20;

/// The packets of one or many inputs in time order.
///
/// What cannot be read is recorded in [`issues`](Self::issues), never fatal: reading goes on behind the damage where
/// there is something to go on with, and with the other files. Inside a file, packets up to one second late are put
/// in their place, over a distance of at least 1 MiB (less when very many files are open at once); when its clock
/// was set back by more than that, they are passed on as they stand. Files are merged by time, equal times in the
/// order of the inputs. Memory does not depend on the size of the inputs: a few megabytes, and for each compressed
/// file that is open the window of its decompressor (64 MiB after `xz -9`, 128 MiB after `zstd --ultra -22`). Files
/// whose times overlap are open together; where the system allows no more open files, the rest become issues.
pub struct Input {
    files: Vec<FileInfo>,
    paths: Vec<Option<PathBuf>>,
    merge: Merge,
    issues: Issues,
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Input {
    /// Opens files, folders (the captures in them and in their folders sorted by path, hidden ones left out), patterns
    /// with `*`, `?`, `[…]` or `**` (where no file has that very name), and `-` for standard input. What a file is
    /// is told by its first bytes, never by its name.
    ///
    /// A single input that is missing or no capture is an error. Of several, such an input becomes an issue and the
    /// others are read; files of a folder that are no captures are passed over. An empty or cut capture is never an
    /// error: it has no packets and an issue.
    pub fn open(paths: &[PathBuf]) -> Result<Input, Error> {
        let wanted = expand(paths);
        let mut input = Input::empty();
        let mut opening = Opening { alone: wanted.len() == 1, ..Opening::default() };
        for wanted in wanted {
            match wanted {
                Wanted::Stdin => input.open_stdin(&mut opening),
                Wanted::File(path) => input.open_path(path, false, &mut opening),
                Wanted::Member(path) => input.open_path(path, true, &mut opening),
                Wanted::Nothing(path, error) => {
                    let file = input.register(path.display().to_string(), Some(0), None);
                    opening.failed.push((file, error));
                }
            }
        }
        if !opening.usable {
            let nothing =
                paths.first().map_or(Error::NoInput, |path| Error::NoCapture { path: path.clone() });
            return Err(opening.failed.into_iter().next().map_or(nothing, |(_, error)| error));
        }
        for (file, error) in opening.failed {
            input.issues.add(file, None, reason(error));
        }
        input.merge.set_pending(opening.pending);
        Ok(input)
    }

    /// Reads one capture from any reader; `name` is what [`files`](Self::files) and errors call it.
    pub fn from_reader(name: &str, reader: impl Read + Send + 'static) -> Result<Input, Error> {
        let mut input = Input::empty();
        let mut opening = Opening::default();
        let file = input.register(name.to_owned(), None, None);
        input.start(file, Path::new(name), reader, &mut opening);
        match opening.failed.pop() {
            Some((_, error)) => Err(error),
            None => Ok(input),
        }
    }

    /// The next packet in time order; `None` at the end of all inputs.
    #[inline]
    pub fn next_packet(&mut self) -> Option<Packet<'_>> {
        let record = match self.merge.next_clear() {
            Some(record) => record,
            None => {
                let Self { files, paths, merge, issues, read, .. } = self;
                merge
                    .next(&mut |file, size, issues| reopen(file, size, files, paths, read, issues), issues)?
            }
        };
        self.merge.packet(record)
    }

    /// All inputs in the order given; [`Packet::file`] and [`Issue::file`] are indices into this.
    pub fn files(&self) -> &[FileInfo] {
        &self.files
    }

    /// What could not be read so far; complete when [`next_packet`](Self::next_packet) has returned `None`.
    pub fn issues(&self) -> &[Issue] {
        self.issues.as_slice()
    }

    /// Bytes read so far, as they lie on disk (compressed).
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes of all inputs as they lie on disk (compressed); `None` when one of them is a pipe.
    pub fn bytes_total(&self) -> Option<u64> {
        self.total
    }

    fn empty() -> Input {
        Input {
            files: Vec::new(),
            paths: Vec::new(),
            merge: Merge::default(),
            issues: Issues::default(),
            read: Arc::default(),
            total: Some(0),
        }
    }

    fn register(&mut self, name: String, size: Option<u64>, path: Option<PathBuf>) -> u32 {
        self.total = self.total.zip(size).map(|(total, size)| total + size);
        self.files.push(FileInfo { name, size, container: None, compression: None });
        self.paths.push(path);
        (self.files.len() - 1) as u32
    }

    fn open_stdin(&mut self, opening: &mut Opening) {
        let file = self.register("-".to_owned(), None, None);
        self.start(file, Path::new("-"), std::io::stdin(), opening);
    }

    fn open_path(&mut self, path: PathBuf, member: bool, opening: &mut Opening) {
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?, file)));
        let (metadata, reader) = match opened {
            Ok(opened) => opened,
            Err(source) => {
                let file = self.register(path.display().to_string(), Some(0), None);
                opening.failed.push((file, Error::Open { path, source }));
                return;
            }
        };
        let name = path.display().to_string();
        if !metadata.is_file() {
            // A pipe: what was read of it does not come again.
            let file = self.register(name, None, None);
            self.start(file, &path, reader, opening);
            return;
        }
        if opening.alone && !member {
            let file = self.register(name, Some(metadata.len()), None);
            self.start(file, &path, reader, opening);
            return;
        }
        let source = Source::open(reader);
        if member && matches!(source.content, Content::Other { .. }) {
            return;
        }
        let file = self.register(name, Some(metadata.len()), Some(path.clone()));
        self.describe(file, &source);
        match Stream::new(source, file, SMALL_SLOT) {
            Ok(mut stream) => {
                // What is wrong with it will be said when it is read.
                let first = stream.peek_within(PROBE, &mut Issues::default());
                let start = first.map_or(i64::MIN, |time| time.saturating_sub(SLACK_NS));
                opening.pending.push(Pending { start, file });
                opening.usable = true;
            }
            Err(content) => self.refuse(file, &path, content, opening),
        }
    }

    /// Begins to read a file that stays open.
    fn start(&mut self, file: u32, path: &Path, reader: impl Read + Send + 'static, opening: &mut Opening) {
        let source = Source::open(Counting::new(reader, Arc::clone(&self.read)));
        self.describe(file, &source);
        match Stream::new(source, file, slot_size(self.merge.open_files())) {
            Ok(stream) => {
                self.merge.add(stream, &mut self.issues);
                opening.usable = true;
            }
            Err(content) => self.refuse(file, path, content, opening),
        }
    }

    fn describe(&mut self, file: u32, source: &Source) {
        if let Some(info) = self.files.get_mut(file as usize) {
            info.container = source.content.container();
            info.compression = source.compression;
        }
    }

    fn refuse(&mut self, file: u32, path: &Path, content: Content, opening: &mut Opening) {
        match content {
            Content::Broken(reason) => {
                self.issues.add(file, Some(0), reason);
                opening.usable = true;
            }
            Content::Other { first_bytes, hint } => {
                let error = Error::NotACapture { path: path.to_owned(), first_bytes, hint: hint.to_owned() };
                opening.failed.push((file, error));
            }
            Content::Pcap(..) | Content::Pcapng(_) => {}
        }
    }
}

/// What opening the inputs came to so far.
#[derive(Default)]
struct Opening {
    /// There is only one input, so it needs not be put in order.
    alone: bool,
    /// Whether any input can be read, be it an empty one.
    usable: bool,
    pending: Vec<Pending>,
    failed: Vec<(u32, Error)>,
}

/// Opens a file for good that was looked at before.
fn reopen(
    file: u32,
    slot_size: usize,
    files: &[FileInfo],
    paths: &[Option<PathBuf>],
    read: &Arc<AtomicU64>,
    issues: &mut Issues,
) -> Option<Stream> {
    let path = paths.get(file as usize)?.as_ref()?;
    let opened = match File::open(path) {
        Ok(opened) => opened,
        Err(error) => {
            issues.add(file, None, Reason::Unreadable(error.to_string()));
            return None;
        }
    };
    match Stream::new(Source::open(Counting::new(opened, Arc::clone(read))), file, slot_size) {
        Ok(stream) => Some(stream),
        Err(_) => {
            let name = files.get(file as usize).map_or("", |info| &info.name);
            issues.add(file, None, Reason::Unreadable(format!("{name} has changed since it was opened")));
            None
        }
    }
}

fn reason(error: Error) -> Reason {
    match error {
        Error::Open { source, .. } => Reason::Unreadable(source.to_string()),
        Error::NoCapture { .. } | Error::NoInput => Reason::NoCapture,
        Error::NotACapture { hint, .. } => Reason::NotACapture(hint),
    }
}
