//! Blocks of Azure with the MD5 of their bytes, which the service compares with what arrives. The client has no option for
//! it, and Azure's signatures do not cover the body; those of S3 do, as a SHA-256.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{Method, Request};
use md5::{Digest, Md5};
use object_store::path::Path;
use object_store::{MultipartId, PutPayload};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::{Result, StoreError};
use crate::store::Store;

impl Store {
    /// Sends a block, with repetitions, and returns its name. The name follows from the upload, the number, and the bytes,
    /// so a block that is sent twice replaces itself.
    pub(crate) async fn put_block(
        &self,
        key: &Path,
        id: &MultipartId,
        number: u32,
        payload: PutPayload,
    ) -> Result<String> {
        let mut hash = Md5::new();
        payload.iter().for_each(|piece| hash.update(piece));
        let md5 = hash.finalize();
        let name = block_name(id, number, &md5);
        let encoded = BASE64_STANDARD.encode(&name);
        let query = format!("comp=block&blockid={}", utf8_percent_encode(&encoded, NON_ALPHANUMERIC));
        let mut backoff = self.inner.retries.start();
        loop {
            let request = Request::builder()
                .method(Method::PUT)
                .header("content-length", payload.content_length())
                .header("content-md5", BASE64_STANDARD.encode(md5));
            let request = self.azure_request(request, key, &query, payload.clone().into()).await?;
            let error = match self.send(request).await {
                Ok((200..=299, _)) => return Ok(name),
                Ok((status @ (408 | 429 | 500..=599), body)) => StoreError::from_answer(status, &body),
                // The bytes changed on their way.
                Ok((400, body)) if body.contains("Md5Mismatch") => StoreError::from_answer(400, &body),
                Ok((status, body)) => return Err(StoreError::from_answer(status, &body)),
                Err((error, _)) => error,
            };
            if !backoff.wait(usize::MAX).await {
                return Err(error);
            }
        }
    }
}

/// Returns the name of a block: 32 hexadecimal digits. All names in a blob must have the same length, which is that of the
/// client's names.
fn block_name(id: &str, number: u32, md5: &[u8]) -> String {
    let mut hash = Md5::new();
    hash.update(id.as_bytes());
    hash.update(number.to_le_bytes());
    hash.update(md5);
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
