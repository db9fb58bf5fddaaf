//! Input read by JavaScript: slices of a `Blob`, a file, or bytes.

use std::cell::RefCell;
use std::io;

use cogsmith::ReadAt;
use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

thread_local! {
    /// JavaScript functions. They cannot be sent to other threads, but readers must be; so readers hold an index into
    /// this list. The module has one thread.
    static READERS: RefCell<Vec<Option<Function>>> = const { RefCell::new(Vec::new()) };
    /// The message of the last failed read.
    static FAILURE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Reads through a function `(offset, length) => Uint8Array`, which returns at most `length` bytes, and none at the
/// end.
#[derive(Debug)]
pub(crate) struct Reader {
    number: usize,
    length: u64,
}

impl Reader {
    /// Creates a reader of an input of `length` bytes.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a size of JavaScript: whole, below 2^53"
    )]
    pub(crate) fn new(read: Function, length: f64) -> Self {
        let number = READERS.with_borrow_mut(|readers| {
            let free = readers.iter().position(Option::is_none).unwrap_or(readers.len());
            if free == readers.len() {
                readers.push(None);
            }
            readers[free] = Some(read);
            free
        });
        Self { number, length: length as u64 }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        READERS.with_borrow_mut(|readers| readers[self.number] = None);
    }
}

impl ReadAt for Reader {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.length || buffer.is_empty() {
            return Ok(0);
        }
        let read = READERS.with_borrow(|readers| readers[self.number].clone());
        let read = read.ok_or_else(|| io::Error::other("the input is closed"))?;
        let length = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        let given = read.call2(&JsValue::NULL, &crate::object::number(offset).into(), &length.into());
        let bytes = given.and_then(JsCast::dyn_into::<Uint8Array>).map_err(|thrown| {
            let message = message(&thrown);
            FAILURE.set(Some(message.clone()));
            io::Error::other(message)
        })?;
        let count = (bytes.length() as usize).min(buffer.len());
        bytes.subarray(0, u32::try_from(count).unwrap_or(u32::MAX)).copy_to(&mut buffer[..count]);
        Ok(count)
    }

    fn len(&self) -> u64 {
        self.length
    }
}

/// Returns the message of a read that failed since the last call, if any: decoders report such a failure as damage.
pub(crate) fn take_failure() -> Option<String> {
    FAILURE.take()
}

/// Returns the message of a thrown value.
fn message(thrown: &JsValue) -> String {
    let error = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
    error.or_else(|| thrown.as_string()).unwrap_or_else(|| "reading failed".to_owned())
}
