//! Where captures are made: at a host, with its own interfaces, or on a link.

use std::io::{self, Write};
use std::net::IpAddr;

use super::{Capture, Settings};
use crate::header::Header;
use crate::net::LinkId;
use crate::observe::{End, Observer, Sight};
use crate::time::Time;

/// Where packets are seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the host that has these interfaces (name and address): what it sends before any queue, what it receives when it arrives.
    Host(Vec<(String, IpAddr)>),
    /// At every client, or at every server, as if they were one host.
    Ends(End),
    /// Where packets enter the queue of a link (after a middlebox there); those that the queue drops are not seen.
    Link(LinkId),
    /// Where packets come out of a link.
    LinkExit(LinkId),
}

#[derive(Debug)]
struct Tap<W: Write> {
    place: Place,
    capture: Capture<W>,
}

/// Any number of captures of one run. It watches a world ([`Observer`]).
#[derive(Debug)]
pub struct Taps<W: Write> {
    settings: Settings,
    taps: Vec<Tap<W>>,
}

impl<W: Write> Taps<W> {
    /// No captures yet; all will look as these settings say.
    pub const fn new(settings: Settings) -> Self {
        Self { settings, taps: Vec::new() }
    }

    /// Begins a capture at a place.
    ///
    /// # Errors
    /// Of the file.
    pub fn add(&mut self, place: Place, file: W) -> io::Result<()> {
        let mut capture = Capture::new(file, self.settings)?;
        let names = match &place {
            Place::Host(interfaces) => interfaces.iter().map(|(name, _)| name.clone()).collect(),
            Place::Ends(end) => vec![end.to_string()],
            Place::Link(link) | Place::LinkExit(link) => vec![format!("link {}", link.0)],
        };
        for name in names {
            capture.interface(&name)?;
        }
        self.taps.push(Tap { place, capture });
        Ok(())
    }

    /// Ends all captures and gives the files back, in the order in which they were added.
    ///
    /// # Errors
    /// The first error of any of them.
    pub fn finish(self) -> io::Result<Vec<W>> {
        self.taps.into_iter().map(|tap| tap.capture.finish()).collect()
    }

    /// At an end: the address is that of the end's own interface.
    fn at_end(&mut self, at: Sight, own: IpAddr, header: &Header) {
        for tap in &mut self.taps {
            let interface = match &tap.place {
                Place::Host(interfaces) => interfaces.iter().position(|(_, addr)| *addr == own),
                Place::Ends(end) if *end == at.end => Some(0),
                _ => None,
            };
            if let Some(interface) = interface {
                tap.capture.packet(interface as u32, at.now, header);
            }
        }
    }
}

impl<W: Write> Observer for Taps<W> {
    fn sent(&mut self, at: Sight, header: &mut Header) {
        self.at_end(at, header.src, header);
    }

    fn arrived(&mut self, at: Sight, header: &Header) {
        self.at_end(at, header.dst, header);
    }

    fn entered(&mut self, now: Time, link: LinkId, header: &Header) {
        for tap in self.taps.iter_mut().filter(|tap| tap.place == Place::Link(link)) {
            tap.capture.packet(0, now, header);
        }
    }

    fn left(&mut self, now: Time, link: LinkId, header: &Header) {
        for tap in self.taps.iter_mut().filter(|tap| tap.place == Place::LinkExit(link)) {
            tap.capture.packet(0, now, header);
        }
    }
}
