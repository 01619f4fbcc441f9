//! A node of protobuf, read into the same fields as one of JSON.

use super::fields::{Fault, Field, Fields};
use super::object::{Message, nested};
use crate::decode::forms::Map;
use crate::decode::wire::{NodeInfo, Object, Status};

/// Reads an item of a list of nodes.
pub(super) fn read_node_object(item: &[u8]) -> Result<Object<'_>, Fault> {
    let mut node = NodeObject::default();
    node.read(item)?;
    Ok(node.0)
}

#[derive(Default)]
struct NodeObject<'a>(Object<'a>);

impl<'a> Message<'a> for NodeObject<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        match field.number {
            1 => nested(&mut self.0.metadata, field, "metadata"),
            3 => status(&mut self.0.status, field).map_err(|fault| fault.within("status")),
            _ => Ok(()),
        }
    }
}

/// The numbers in it are other ones than in the status of a pod.
fn status<'a>(kept: &mut Option<Map<Status<'a>>>, field: Field<'a>) -> Result<(), Fault> {
    let Map(status) = kept.get_or_insert_with(|| Map(Status::default()));
    let mut fields = Fields::new(field.bytes("a message")?);
    while let Some(field) = fields.next()? {
        if field.number == 7 {
            nested(&mut status.node_info, field, "nodeInfo")?;
        }
    }
    Ok(())
}

impl<'a> Message<'a> for NodeInfo<'a> {
    fn set(&mut self, field: Field<'a>) -> Result<(), Fault> {
        let kept = match field.number {
            4 => &mut self.kernel_version,
            6 => &mut self.container_runtime_version,
            7 => &mut self.kubelet_version,
            8 => &mut self.kube_proxy_version,
            9 => &mut self.operating_system,
            10 => &mut self.architecture,
            _ => return Ok(()),
        };
        kept.0 = field.text("").unwrap_or_default();
        Ok(())
    }
}
