//! A pod or a namespace of protobuf, read into the same fields as one of JSON.
//!
//! The numbers are those of `generated.proto` in `k8s.io/api/core/v1` and `k8s.io/apimachinery`: part of the API, never
//! given to another field. A field that comes twice counts as protobuf has it: the last text wins, messages are merged.

use serde::de::IgnoredAny;

use super::fields::{Fault, Field, Fields};
use super::texts::static_mark;
use crate::decode::forms::{Map, Text};
use crate::decode::peek::Peek;
use crate::decode::wire::{
    Cause, Container, ContainerStatus, ImageVolume, ImageVolumeStatus, Metadata, MountStatus, Object, OwnerReference,
    Spec, State, Status, Volume, VolumeStatus,
};

/// A message whose kept fields are filled in one by one.
pub(super) trait Message<'a>: Default {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault>;

    fn read(&mut self, message: &'a [u8]) -> Result<(), Fault> {
        let mut fields = Fields::new(message);
        while let Some(field) = fields.next()? {
            self.set(field)?;
        }
        Ok(())
    }
}

/// Reads an item of a list of pods.
pub(super) fn read_pod_object(item: &[u8]) -> Result<Object<'_>, Fault> {
    let mut pod = PodObject::default();
    pod.read(item)?;
    Ok(pod.0)
}

/// Reads an item of a list of namespaces: nothing but its metadata is kept.
pub(super) fn read_namespace_object(item: &[u8]) -> Result<Object<'_>, Fault> {
    let mut namespace = NamespaceObject::default();
    namespace.read(item)?;
    Ok(namespace.0)
}

/// What a broken item calls itself, as far as it goes. All kinds have their metadata in the same place.
pub(in crate::decode) fn peek(item: &[u8]) -> Peek {
    let mut found = Peek::default();
    let mut fields = Fields::of_head(item);
    while let Ok(Some(field)) = fields.next() {
        let (1, Ok(metadata)) = (field.number, field.bytes("metadata")) else { continue };
        let mut fields = Fields::of_head(metadata);
        while let Ok(Some(field)) = fields.next() {
            let kept = match field.number {
                1 => &mut found.name,
                3 => &mut found.namespace,
                _ => continue,
            };
            if let Ok(Some(text)) = field.text("") {
                text.as_str().clone_into(kept);
            }
        }
    }
    found
}

/// A nested message that is there once.
pub(super) fn nested<'a, T: Message<'a>>(kept: &mut Option<Map<T>>, field: Field<'a>, name: &str) -> Result<(), Fault> {
    let Map(message) = kept.get_or_insert_with(|| Map(T::default()));
    field.bytes("a message").and_then(|bytes| message.read(bytes)).map_err(|fault| fault.within(name))
}

/// One more of a repeated message.
fn repeated<'a, T: Message<'a>>(
    kept: &mut Option<Vec<Option<Map<T>>>>,
    field: Field<'a>,
    name: &str,
) -> Result<(), Fault> {
    let kept = kept.get_or_insert_with(Vec::new);
    let mut message = T::default();
    let read = field.bytes("a message").and_then(|bytes| message.read(bytes));
    read.map_err(|fault| fault.within(&format!("[{}]", kept.len())).within(name))?;
    kept.push(Some(Map(message)));
    Ok(())
}

#[derive(Default)]
struct PodObject<'a>(Object<'a>);

impl<'a> Message<'a> for PodObject<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => nested(&mut self.0.metadata, field, "metadata"),
            2 => nested(&mut self.0.spec, field, "spec"),
            3 => nested(&mut self.0.status, field, "status"),
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct NamespaceObject<'a>(Object<'a>);

impl<'a> Message<'a> for NamespaceObject<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => nested(&mut self.0.metadata, field, "metadata"),
            _ => Ok(()),
        }
    }
}

impl<'a> Message<'a> for Metadata<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.name = field.text("name")?,
            3 => self.namespace = field.text("namespace")?,
            // Nothing depends on it: an odd one counts as absent.
            5 => self.uid.0 = field.text("uid").unwrap_or_default(),
            7 => self.generation = counted(field.integer("generation")?),
            12 => static_mark(&mut self.annotations, field)?,
            13 => repeated(&mut self.owner_references, field, "ownerReferences")?,
            _ => {}
        }
        Ok(())
    }
}

/// Generations count from 1. Protobuf writes an absent one as 0.
fn counted(generation: i64) -> Option<i64> {
    (generation != 0).then_some(generation)
}

impl<'a> Message<'a> for OwnerReference<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.kind = field.text("kind")?,
            3 => self.name = field.text("name")?,
            6 => self.controller = Some(field.integer("controller")? != 0),
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for Spec<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => repeated(&mut self.volumes, field, "volumes")?,
            2 => repeated(&mut self.containers, field, "containers")?,
            10 => self.node_name = field.text("nodeName")?,
            20 => repeated(&mut self.init_containers, field, "initContainers")?,
            34 => ephemeral_container(&mut self.ephemeral_containers, field)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for Container<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.name = field.text("name")?,
            2 => self.image = field.text("image")?,
            24 => self.restart_policy = field.text("restartPolicy")?,
            _ => {}
        }
        Ok(())
    }
}

/// An ephemeral container has its name and image one message deeper than any other.
#[derive(Default)]
struct EphemeralContainer<'a>(Container<'a>);

impl<'a> Message<'a> for EphemeralContainer<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => field.bytes("a message").and_then(|common| self.0.read(common)),
            _ => Ok(()),
        }
    }
}

fn ephemeral_container<'a>(kept: &mut Option<Vec<Option<Map<Container<'a>>>>>, field: Field<'a>) -> Result<(), Fault> {
    let kept = kept.get_or_insert_with(Vec::new);
    let mut container = EphemeralContainer::default();
    let read = field.bytes("a message").and_then(|bytes| container.read(bytes));
    read.map_err(|fault| fault.within(&format!("[{}]", kept.len())).within("ephemeralContainers"))?;
    kept.push(Some(Map(container.0)));
    Ok(())
}

impl<'a> Message<'a> for Volume<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.name = field.text("name")?,
            2 => {
                // In JSON the source's fields stand in the volume itself.
                let mut sources = Fields::new(field.bytes("a message")?);
                while let Some(source) = sources.next()? {
                    if source.number == 30 {
                        nested(&mut self.image, source, "image")?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for ImageVolume<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        if field.number == 1 {
            self.reference = field.text("reference")?;
        }
        Ok(())
    }
}

impl<'a> Message<'a> for Status<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.phase = field.text("phase")?,
            4 => self.reason = field.text("reason")?,
            8 => repeated(&mut self.container_statuses, field, "containerStatuses")?,
            10 => repeated(&mut self.init_container_statuses, field, "initContainerStatuses")?,
            13 => repeated(&mut self.ephemeral_container_statuses, field, "ephemeralContainerStatuses")?,
            17 => self.observed_generation = counted(field.integer("observedGeneration")?),
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for ContainerStatus<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.name = field.text("name")?,
            2 => nested(&mut self.state, field, "state")?,
            6 => self.image = field.text("image")?,
            7 => self.image_id = field.text("imageID")?,
            // Nothing depends on it either.
            8 => self.container_id.0 = field.text("containerID").unwrap_or_default(),
            12 => repeated(&mut self.volume_mounts, field, "volumeMounts")?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for State<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => cause(&mut self.waiting, field, 1, "waiting"),
            2 => field
                .bytes("a message")
                .map(|_| self.running = Some(IgnoredAny))
                .map_err(|fault| fault.within("running")),
            3 => cause(&mut self.terminated, field, 3, "terminated"),
            _ => Ok(()),
        }
    }
}

/// The reason of a state: a field of that number in the one message, of another in the other.
fn cause<'a>(kept: &mut Option<Map<Cause<'a>>>, field: Field<'a>, number: u32, name: &str) -> Result<(), Fault> {
    let Map(cause) = kept.get_or_insert_with(|| Map(Cause::default()));
    reason(field, number, &mut cause.reason).map_err(|fault| fault.within(name))
}

fn reason<'a>(message: Field<'a>, number: u32, kept: &mut Option<Text<'a>>) -> Result<(), Fault> {
    let mut fields = Fields::new(message.bytes("a message")?);
    while let Some(field) = fields.next()? {
        if field.number == number {
            *kept = field.text("reason")?;
        }
    }
    Ok(())
}

impl<'a> Message<'a> for MountStatus<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => self.name = field.text("name")?,
            5 => nested(&mut self.volume_status, field, "volumeStatus")?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Message<'a> for VolumeStatus<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        if field.number == 1 {
            nested(&mut self.image, field, "image")?;
        }
        Ok(())
    }
}

impl<'a> Message<'a> for ImageVolumeStatus<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        if field.number == 1 {
            self.image_ref = field.text("imageRef")?;
        }
        Ok(())
    }
}
