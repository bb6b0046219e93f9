//! What a file becomes in memory, known before it is read: an empty operation is two bytes in a file and a hundred in memory, and so a file
//! that is small enough could still become more than there is.

use super::Fault;
use super::file::{Attribute, Dimension, Graph, Kind, Model, Node, OperatorSet, Shape, Tensor, TensorKind, Value};
use std::mem::size_of;

/// What the parts of a model may take, in bytes. A forest of 32 MB weighs about 160 MB; reading doubles lists as they grow, and what is made
/// of it lies beside it.
pub(super) const HELD_MAX: usize = 256_000_000;

/// What a text or a list takes beside its content: its head, and the least that is given out at once.
const HEAD: usize = size_of::<Vec<u8>>() + 16;

/// What a field is.
enum Field {
    /// A message of its own.
    Part(&'static Form),
    /// A text, or bytes.
    Text,
    /// Whole numbers, eight bytes each, however short they are in the file.
    Ints,
    /// Numbers of four bytes.
    Floats,
}

/// What a message takes, and its fields by their tags. What is not listed is passed over when a file is read.
struct Form {
    bytes: usize,
    fields: &'static [(u64, Field)],
}

static MODEL: Form =
    Form { bytes: size_of::<Model>(), fields: &[(7, Field::Part(&GRAPH)), (8, Field::Part(&OPERATORS)), (25, Field::Text)] };
static OPERATORS: Form = Form { bytes: size_of::<OperatorSet>(), fields: &[(1, Field::Text)] };
static GRAPH: Form = Form {
    bytes: size_of::<Graph>(),
    fields: &[(1, Field::Part(&NODE)), (5, Field::Part(&TENSOR)), (11, Field::Part(&VALUE)), (12, Field::Part(&VALUE)), (15, Field::Text)],
};
static NODE: Form = Form {
    bytes: size_of::<Node>(),
    fields: &[(1, Field::Text), (2, Field::Text), (4, Field::Text), (5, Field::Part(&ATTRIBUTE)), (7, Field::Text)],
};
static ATTRIBUTE: Form = Form {
    bytes: size_of::<Attribute>(),
    fields: &[
        (1, Field::Text),
        (4, Field::Text),
        (5, Field::Part(&TENSOR)),
        (6, Field::Text),
        (7, Field::Floats),
        (8, Field::Ints),
        (9, Field::Text),
        (11, Field::Text),
    ],
};
static TENSOR: Form = Form {
    bytes: size_of::<Tensor>(),
    fields: &[(1, Field::Ints), (4, Field::Floats), (7, Field::Ints), (8, Field::Text), (9, Field::Text), (13, Field::Text)],
};
static VALUE: Form = Form { bytes: size_of::<Value>(), fields: &[(1, Field::Text), (2, Field::Part(&KIND))] };
static KIND: Form = Form { bytes: size_of::<Kind>(), fields: &[(1, Field::Part(&TENSOR_KIND))] };
static TENSOR_KIND: Form = Form { bytes: size_of::<TensorKind>(), fields: &[(2, Field::Part(&SHAPE))] };
static SHAPE: Form = Form { bytes: size_of::<Shape>(), fields: &[(1, Field::Part(&DIMENSION))] };
static DIMENSION: Form = Form { bytes: size_of::<Dimension>(), fields: &[] };

/// That a file becomes no more than is held. Holds nothing itself, and looks at each byte once for each message around it.
///
/// # Errors
/// [`Fault::Unpacks`], or the file is none.
pub(super) fn weigh(onnx: &[u8]) -> Result<(), Fault> {
    let mut left = HELD_MAX;
    part(onnx, &MODEL, &mut left)
}

fn take(left: &mut usize, bytes: usize) -> Result<(), Fault> {
    *left = left.checked_sub(bytes).ok_or(Fault::Unpacks)?;
    Ok(())
}

/// The messages are as deep as the forms above, which lead to no circle.
fn part(mut rest: &[u8], form: &'static Form, left: &mut usize) -> Result<(), Fault> {
    take(left, form.bytes)?;
    while !rest.is_empty() {
        let head = number(&mut rest)?;
        let field = form.fields.iter().find(|(tag, _)| *tag == head >> 3).map(|(_, field)| field);
        // The kinds of fields of Protocol Buffers, "Encoding": 3 and 4 are groups, which ONNX has none of.
        match head & 7 {
            0 => {
                number(&mut rest)?;
                take(left, if let Some(Field::Ints) = field { 8 } else { 0 })?;
            }
            1 => drop(bytes(&mut rest, 8)?),
            2 => {
                let length = usize::try_from(number(&mut rest)?).map_err(|_| broken())?;
                let content = bytes(&mut rest, length)?;
                match field {
                    Some(Field::Part(form)) => part(content, form, left)?,
                    Some(Field::Text) => take(left, HEAD + content.len())?,
                    // The last byte of a number has no highest bit.
                    Some(Field::Ints) => take(left, 8 * content.iter().filter(|byte| **byte < 0x80).count())?,
                    Some(Field::Floats) => take(left, content.len())?,
                    None => {}
                }
            }
            5 => {
                bytes(&mut rest, 4)?;
                take(left, if let Some(Field::Floats) = field { 4 } else { 0 })?;
            }
            _ => return Err(broken()),
        }
    }
    Ok(())
}

fn broken() -> Fault {
    Fault::NotOnnx("it is no message of Protocol Buffers".to_owned())
}

fn bytes<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], Fault> {
    let (content, after) = rest.split_at_checked(length).ok_or_else(broken)?;
    *rest = after;
    Ok(content)
}

/// A number of one to ten bytes.
fn number(rest: &mut &[u8]) -> Result<u64, Fault> {
    let mut value = 0_u64;
    for place in 0..10 {
        let [byte, after @ ..] = *rest else { return Err(broken()) };
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * place).min(63);
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    Err(broken())
}

#[cfg(test)]
mod tests;
