//! The fields of a pod and a namespace that are read, as they stand on the wire.
//!
//! serde skips everything that is not named here without building it. `null` means absent, as in the API's own language;
//! texts are borrowed from the item where it needs no unescaping.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};

/// An object of any kind, as far as pods and namespaces go.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Object<'a> {
    pub(super) api_version: Option<Text<'a>>,
    pub(super) kind: Option<Text<'a>>,
    pub(super) metadata: Option<Map<Metadata<'a>>>,
    pub(super) spec: Option<Map<Spec<'a>>>,
    pub(super) status: Option<Map<Status<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Metadata<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) namespace: Option<Text<'a>>,
    #[serde(default)]
    pub(super) uid: LooseText<'a>,
    pub(super) generation: Option<i64>,
    #[serde(default)]
    pub(super) annotations: StaticMark,
    pub(super) owner_references: Option<Vec<Option<Map<OwnerReference<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct OwnerReference<'a> {
    pub(super) kind: Option<Text<'a>>,
    pub(super) name: Option<Text<'a>>,
    pub(super) controller: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Spec<'a> {
    pub(super) node_name: Option<Text<'a>>,
    pub(super) containers: Option<Vec<Option<Map<Container<'a>>>>>,
    pub(super) init_containers: Option<Vec<Option<Map<Container<'a>>>>>,
    pub(super) ephemeral_containers: Option<Vec<Option<Map<Container<'a>>>>>,
    pub(super) volumes: Option<Vec<Option<Map<Volume<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Container<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image: Option<Text<'a>>,
    pub(super) restart_policy: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Volume<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image: Option<Map<ImageVolume<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct ImageVolume<'a> {
    pub(super) reference: Option<Text<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct Status<'a> {
    pub(super) phase: Option<Text<'a>>,
    pub(super) reason: Option<Text<'a>>,
    pub(super) observed_generation: Option<i64>,
    pub(super) container_statuses: Option<Vec<Option<Map<ContainerStatus<'a>>>>>,
    pub(super) init_container_statuses: Option<Vec<Option<Map<ContainerStatus<'a>>>>>,
    pub(super) ephemeral_container_statuses: Option<Vec<Option<Map<ContainerStatus<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct ContainerStatus<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image: Option<Text<'a>>,
    #[serde(rename = "imageID")]
    pub(super) image_id: Option<Text<'a>>,
    pub(super) state: Option<Map<State<'a>>>,
    pub(super) volume_mounts: Option<Vec<Option<Map<MountStatus<'a>>>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct State<'a> {
    pub(super) waiting: Option<Map<Cause<'a>>>,
    pub(super) running: Option<IgnoredAny>,
    pub(super) terminated: Option<Map<Cause<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct Cause<'a> {
    pub(super) reason: Option<Text<'a>>,
}

/// A mount of a container's status. The image reference stands in one of two places, by source.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct MountStatus<'a> {
    pub(super) name: Option<Text<'a>>,
    pub(super) image_ref: Option<Text<'a>>,
    pub(super) volume_status: Option<Map<VolumeStatus<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub(super) struct VolumeStatus<'a> {
    pub(super) image: Option<Map<ImageVolumeStatus<'a>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub(super) struct ImageVolumeStatus<'a> {
    pub(super) image_ref: Option<Text<'a>>,
}

/// A map of named fields. A derived struct alone would also take a sequence of its fields' values in their order.
#[derive(Debug)]
pub(super) struct Map<T>(pub(super) T);

impl<T> Deref for Map<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for FieldsVisitor<T> {
            type Value = Map<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Map)
            }
        }
        deserializer.deserialize_map(FieldsVisitor(PhantomData))
    }
}

/// A string, borrowed where it can be. serde's own borrowing does not reach a `Cow` inside an `Option`.
#[derive(Debug, Clone)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// The text, or the empty one when absent.
pub(super) fn text<'t>(value: Option<&'t Text<'_>>) -> &'t str {
    value.map_or("", Text::as_str)
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(value)))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(value.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// A string; any other value counts as absent. For what nothing depends on.
#[derive(Debug, Default)]
pub(super) struct LooseText<'a>(pub(super) Option<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for LooseText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = LooseText<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value")
            }

            fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(LooseText(Some(Text(Cow::Borrowed(value)))))
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(LooseText(Some(Text(Cow::Owned(value.to_owned())))))
            }

            null_is!(LooseText(None));
            odd_scalars_are!(LooseText(None));
            odd_sequences_are!(LooseText(None));

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(LooseText(None))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// Whether the annotations say that the kubelet read the pod from a file or an address of its node, not from the API.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct StaticMark(pub(super) bool);

/// The API server's copy of a static pod has this annotation.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// A kubelet's own list says where each pod came from: `file`, `http`, or `api` for all others.
const SOURCE: &str = "kubernetes.io/config.source";

/// Whether that annotation says so. In bytes: most are no text that anyone reads.
pub(super) fn is_static_mark(key: &[u8], value: &[u8]) -> bool {
    key == MIRROR.as_bytes() || (key == SOURCE.as_bytes() && matches!(value, b"file" | b"http"))
}

impl<'de> Deserialize<'de> for StaticMark {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MarkVisitor;
        impl<'de> Visitor<'de> for MarkVisitor {
            type Value = StaticMark;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of annotations")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut mark = false;
                while let Some(key) = map.next_key::<AnnotationKey>()? {
                    match key {
                        AnnotationKey::Mirror => {
                            map.next_value::<IgnoredAny>()?;
                            mark = true;
                        }
                        AnnotationKey::Source => {
                            let source = map.next_value::<LooseText<'de>>()?;
                            mark |= matches!(text(source.0.as_ref()), "file" | "http");
                        }
                        AnnotationKey::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(StaticMark(mark))
            }

            fn visit_str<E: de::Error>(self, _: &str) -> Result<Self::Value, E> {
                Ok(StaticMark(false))
            }

            null_is!(StaticMark(false));
            odd_scalars_are!(StaticMark(false));
            odd_sequences_are!(StaticMark(false));
        }
        deserializer.deserialize_any(MarkVisitor)
    }
}

enum AnnotationKey {
    Mirror,
    Source,
    Other,
}

impl<'de> Deserialize<'de> for AnnotationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = AnnotationKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the key of an annotation")
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
                Ok(match value {
                    MIRROR => AnnotationKey::Mirror,
                    SOURCE => AnnotationKey::Source,
                    _ => AnnotationKey::Other,
                })
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}
