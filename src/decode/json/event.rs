//! A watch event in JSON, `{"type":"ADDED","object":{…}}`: its type, and where its object stands, which is not read.

use super::nesting::Nesting;
use crate::decode::error::Found;

/// What was found of an event.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::decode) struct Event<'a> {
    /// The value of `type`, as JSON.
    kind: Option<&'a [u8]>,
    /// The value of `object`, as JSON.
    pub(in crate::decode) object: Option<&'a [u8]>,
}

impl<'a> Event<'a> {
    /// Finds the parts of an event in either order. What was found before the grammar failed, or the bytes ended, is kept.
    pub(in crate::decode) fn find(bytes: &'a [u8]) -> (Self, Result<(), String>) {
        let mut event = Self::default();
        let end = event.read(&mut Rest(bytes));
        (event, end)
    }

    /// The text of `type`.
    pub(in crate::decode) fn kind(&self) -> Option<String> {
        serde_json::from_slice(self.kind?).ok()
    }

    /// Whether it has neither of an event's keys.
    pub(in crate::decode) fn is_none(&self) -> bool {
        self.kind.is_none() && self.object.is_none()
    }

    fn read(&mut self, rest: &mut Rest<'a>) -> Result<(), String> {
        rest.token(b"{", "an object")?;
        loop {
            let (key, _) = rest.value("a key")?;
            rest.token(b":", "`:`")?;
            let (value, is_whole) = rest.value("a value")?;
            let place = match key {
                b"\"type\"" => Some(&mut self.kind),
                b"\"object\"" => Some(&mut self.object),
                _ => None,
            };
            if let Some(place) = place
                && place.replace(value).is_some()
            {
                return Err(format!("the key {} stands twice", String::from_utf8_lossy(key)));
            }
            if !is_whole {
                return Err(ENDED.to_owned());
            }
            if rest.token(b",}", "`,` or `}`")? == b'}' {
                break;
            }
        }
        match rest.next() {
            None => Ok(()),
            Some(found) => Err(format!("expected nothing behind the event, found {}", Found(found))),
        }
    }
}

const ENDED: &str = "it ends too early";

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The next byte that is no blank.
    fn next(&mut self) -> Option<u8> {
        self.0 = self.0.trim_ascii_start();
        self.0.first().copied()
    }

    /// Takes one of those bytes.
    fn token(&mut self, wanted: &[u8], expected: &str) -> Result<u8, String> {
        match self.next() {
            Some(found) if wanted.contains(&found) => {
                self.0 = &self.0[1..];
                Ok(found)
            }
            Some(found) => Err(format!("expected {expected}, found {}", Found(found))),
            None => Err(ENDED.to_owned()),
        }
    }

    /// Takes a value, found by counting brackets alone; and whether its end is there.
    fn value(&mut self, expected: &str) -> Result<(&'a [u8], bool), String> {
        let first = self.next().ok_or(ENDED)?;
        let mut nesting = Nesting::default();
        let end = match nesting.begin(first) {
            Some(true) => nesting.end(&self.0[1..]).map(|length| 1 + length),
            Some(false) => self.0.iter().position(|byte| byte.is_ascii_whitespace() || b",}]{[\":".contains(byte)),
            None => return Err(format!("expected {expected}, found {}", Found(first))),
        };
        let (value, rest) = self.0.split_at(end.unwrap_or(self.0.len()));
        self.0 = rest;
        Ok((value, end.is_some()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    type Parts = (Option<&'static str>, Option<&'static str>);

    const BOTH: Parts = (Some("ADDED"), Some(r#"{"a":"}"}"#));

    #[rstest]
    #[case::as_servers_write_it(r#"{"type":"ADDED","object":{"a":"}"}}"#, BOTH, Ok(()))]
    #[case::in_the_other_order(r#" { "object" : {"a":"}"} , "x":[1,{}], "type" : "ADDED" } "#, BOTH, Ok(()))]
    #[case::cut_inside_the_object(
        r#"{"type":"ADDED","object":{"a":"x"#,
        (Some("ADDED"), Some(r#"{"a":"x"#)),
        Err("it ends too early")
    )]
    #[case::cut_inside_a_key(r#"{"type":"ADDED","obj"#, (Some("ADDED"), None), Err("it ends too early"))]
    #[case::no_text_as_type(r#"{"type":5}"#, (None, None), Ok(()))]
    #[case::a_type_twice(r#"{"type":"ADDED","type":"ADDED"}"#, (Some("ADDED"), None), Err("the key \"type\" stands twice"))]
    #[case::more_behind(r#"{"type":"ADDED"}}"#, (Some("ADDED"), None), Err("expected nothing behind the event, found `}`"))]
    #[case::without_a_comma(r#"{"type":"ADDED" "object":{}}"#, (Some("ADDED"), None), Err("expected `,` or `}`, found `\"`"))]
    #[case::without_a_value(r#"{"type":}"#, (None, None), Err("expected a value, found `}`"))]
    #[case::an_array(r"[]", (None, None), Err("expected an object, found `[`"))]
    #[case::empty(r"{}", (None, None), Err("expected a key, found `}`"))]
    #[case::nothing("", (None, None), Err("it ends too early"))]
    fn the_parts_of_an_event_are_found(#[case] text: &str, #[case] parts: Parts, #[case] expected: Result<(), &str>) {
        let (event, end) = Event::find(text.as_bytes());
        let object = event.object.map(|object| std::str::from_utf8(object).unwrap());
        assert_eq!((event.kind().as_deref(), object), parts);
        assert_eq!(end, expected.map_err(str::to_owned));
    }
}
