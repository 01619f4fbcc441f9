//! Labels and annotations in protobuf: entries of a map, each a message of its own.

use super::fields::{Fault, Field, Fields};
use crate::decode::forms::{LooseText, Map, Text, Texts};
use crate::decode::pod::{MIRROR, SOURCE};
use crate::decode::wire::Object;

/// Fills in labels and annotations, which are stepped over when an item is read for the first time: most are not wanted.
/// An entry that is broken counts as absent.
pub(super) fn read_texts<'a>(item: &'a [u8], object: &mut Object<'a>) {
    let Some(Map(kept)) = &mut object.metadata else { return };
    (kept.labels, kept.annotations) = (Texts::default(), Texts::default());
    let mut fields = Fields::new(item);
    while let Ok(Some(field)) = fields.next() {
        let (1, Ok(metadata)) = (field.number, field.bytes("metadata")) else { continue };
        let mut fields = Fields::new(metadata);
        while let Ok(Some(field)) = fields.next() {
            let texts = match field.number {
                11 => &mut kept.labels,
                12 => &mut kept.annotations,
                _ => continue,
            };
            if let Ok((key, value)) = map_entry(field) {
                texts.0.push((lossy(key), lossy(value)));
            }
        }
    }
}

/// A text with a mark in place of bytes that are no UTF-8, as the API server writes it in JSON.
fn lossy(bytes: &[u8]) -> LooseText<'_> {
    LooseText(Some(Text::from(String::from_utf8_lossy(bytes))))
}

/// Keeps an annotation when it is one that marks a static pod, as the sieve does in JSON.
pub(super) fn static_mark<'a>(kept: &mut Texts<'a>, entry: Field<'a>) -> Result<(), Fault> {
    let (key, value) = map_entry(entry).map_err(|fault| fault.within("annotations"))?;
    if key == MIRROR.as_bytes() || key == SOURCE.as_bytes() {
        kept.0.push((lossy(key), lossy(value)));
    }
    Ok(())
}

/// Key and value of an entry of a map of texts.
fn map_entry(entry: Field<'_>) -> Result<(&[u8], &[u8]), Fault> {
    let (mut key, mut value) = (&b""[..], &b""[..]);
    let mut fields = Fields::new(entry.bytes("a map entry")?);
    while let Some(field) = fields.next()? {
        match field.number {
            1 => key = field.bytes("a text")?,
            2 => value = field.bytes("a text")?,
            _ => {}
        }
    }
    Ok((key, value))
}
