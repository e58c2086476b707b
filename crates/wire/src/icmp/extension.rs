//! The extension structure behind a quote (RFC 4884, section 7) and its MPLS objects (RFC 4950).

use crate::Full;
use crate::bytes::{Writer, be16, be32, u8_at};
use crate::checksum;

pub(super) const VERSION: u8 = 2;
const HEADER_LEN: usize = 4;
const OBJECT_HEADER_LEN: usize = 4;
const CLASS_MPLS: u8 = 1;
const INCOMING_STACK: u8 = 1;

/// An extension structure of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions<'a> {
    bytes: &'a [u8],
}

/// One extension object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Object<'a> {
    /// Class number.
    pub class: u8,
    /// Sub-type within the class.
    pub ctype: u8,
    /// What follows the object's header.
    pub data: &'a [u8],
}

/// One entry of an MPLS label stack (RFC 3032, section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MplsLabel {
    /// Label, 20 bits.
    pub label: u32,
    /// Traffic class, 3 bits.
    pub traffic_class: u8,
    /// Last entry of the stack.
    pub bottom: bool,
    /// Time to live.
    pub ttl: u8,
}

impl<'a> Extensions<'a> {
    /// Reads the structure; `None` when it is cut or of another version.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        (bytes.len() >= HEADER_LEN && u8_at(bytes, 0)? >> 4 == VERSION).then_some(Self { bytes })
    }

    /// The checksum is right, or was not made. A structure that was not captured whole has a wrong one.
    pub fn checksum_ok(&self) -> bool {
        be16(self.bytes, 2) == Some(0) || checksum::ones_complement(self.bytes) == 0
    }

    /// The objects in their order; ends at one whose length makes no sense.
    pub fn objects(&self) -> impl Iterator<Item = Object<'a>> + use<'a> {
        let mut rest = self.bytes.get(HEADER_LEN..).unwrap_or(&[]);
        core::iter::from_fn(move || {
            let len = usize::from(be16(rest, 0)?);
            let object = Object {
                class: u8_at(rest, 2)?,
                ctype: u8_at(rest, 3)?,
                data: rest.get(OBJECT_HEADER_LEN..len)?,
            };
            rest = rest.get(len..)?;
            Some(object)
        })
    }
}

impl<'a> Object<'a> {
    /// The label stack with which the packet arrived, when this is one.
    pub fn mpls(&self) -> Option<LabelStack<'a>> {
        (self.class == CLASS_MPLS && self.ctype == INCOMING_STACK).then_some(LabelStack { bytes: self.data })
    }

    pub(super) fn len(&self) -> usize {
        OBJECT_HEADER_LEN + self.data.len()
    }

    pub(super) fn write(&self, w: &mut Writer<'_>) -> Result<(), Full> {
        let len = u16::try_from(self.len()).map_err(|_| Full { needed: self.len(), room: 0xffff })?;
        w.u16(len).u8(self.class).u8(self.ctype).put(self.data);
        Ok(())
    }
}

/// The entries of a label stack, outermost first.
#[derive(Clone, Copy, Debug)]
pub struct LabelStack<'a> {
    bytes: &'a [u8],
}

impl Iterator for LabelStack<'_> {
    type Item = MplsLabel;

    fn next(&mut self) -> Option<MplsLabel> {
        let entry = be32(self.bytes, 0)?;
        self.bytes = self.bytes.get(4..)?;
        Some(MplsLabel::from(entry))
    }
}

impl From<u32> for MplsLabel {
    fn from(entry: u32) -> Self {
        Self {
            label: entry >> 12,
            traffic_class: (entry >> 9) as u8 & 7,
            bottom: entry & 0x100 != 0,
            ttl: entry as u8,
        }
    }
}

impl From<MplsLabel> for u32 {
    fn from(label: MplsLabel) -> u32 {
        label.label << 12
            | u32::from(label.traffic_class & 7) << 9
            | u32::from(label.bottom) << 8
            | u32::from(label.ttl)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn objects_of_a_real_structure() {
        let bytes = [0x20, 0, 0, 0, 0, 8, 1, 1, 0x04, 0x93, 0xe1, 0x01, 0, 4, 2, 9, 0, 3, 0, 0];
        let extensions = Extensions::parse(&bytes).unwrap();
        assert!(extensions.checksum_ok());
        let objects: Vec<_> = extensions.objects().collect();
        assert_eq!(objects.len(), 2);
        let labels: Vec<_> = objects[0].mpls().unwrap().collect();
        assert_eq!(labels, [MplsLabel { label: 18_750, traffic_class: 0, bottom: true, ttl: 1 }]);
        assert_eq!(objects[1], Object { class: 2, ctype: 9, data: &[] });
        assert!(objects[1].mpls().is_none());
    }

    #[test]
    fn other_versions_and_wrong_checksums() {
        assert_eq!(Extensions::parse(&[0x10, 0, 0, 0]), None);
        assert_eq!(Extensions::parse(&[0x20, 0, 0]), None);
        assert!(!Extensions::parse(&[0x20, 0, 1, 1]).unwrap().checksum_ok());
        assert!(Extensions::parse(&[0x20, 0, 0xdf, 0xff]).unwrap().checksum_ok());
    }

    proptest! {
        #[test]
        fn label_entries_are_words(entry in any::<u32>()) {
            prop_assert_eq!(u32::from(MplsLabel::from(entry)), entry);
        }
    }
}
