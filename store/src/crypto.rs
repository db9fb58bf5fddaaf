//! Cryptography without C: hashes for signatures of requests, signatures of service accounts, and TLS.

use std::sync::OnceLock;

use hmac::{Hmac, KeyInit, Mac};
use object_store::client::{CryptoProvider, DigestAlgorithm, DigestContext, HmacContext, Signer, SigningAlgorithm};
use sha2::{Digest, Sha256};

use crate::error::{Result, StoreError, StoreErrorKind};

/// The provider for the clients.
#[derive(Debug)]
pub(crate) struct Crypto;

/// The provider as a reference that can be kept.
pub(crate) static CRYPTO: Crypto = Crypto;

impl CryptoProvider for Crypto {
    fn digest(&self, algorithm: DigestAlgorithm) -> object_store::Result<Box<dyn DigestContext>> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Hash { hash: Sha256::new(), result: [0; 32] })),
            _ => Err(unsupported("this digest")),
        }
    }

    fn hmac(&self, algorithm: DigestAlgorithm, secret: &[u8]) -> object_store::Result<Box<dyn HmacContext>> {
        let hash = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| unsupported("a secret of this length"));
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Box::new(Keyed { hash: hash?, result: [0; 32] })),
            _ => Err(unsupported("this digest")),
        }
    }

    fn sign(&self, algorithm: SigningAlgorithm, pem: &[u8]) -> object_store::Result<Box<dyn Signer>> {
        match algorithm {
            SigningAlgorithm::RS256 => rsa::signer(pem),
            _ => Err(unsupported("this kind of signature")),
        }
    }
}

fn unsupported(what: &str) -> object_store::Error {
    object_store::Error::NotSupported { source: format!("{what} is not supported").into() }
}

struct Hash {
    hash: Sha256,
    result: [u8; 32],
}

impl DigestContext for Hash {
    fn update(&mut self, data: &[u8]) {
        self.hash.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        self.result = self.hash.finalize_reset().into();
        Ok(&self.result)
    }
}

struct Keyed {
    hash: Hmac<Sha256>,
    result: [u8; 32],
}

impl HmacContext for Keyed {
    fn update(&mut self, data: &[u8]) {
        self.hash.update(data);
    }

    fn finish(&mut self) -> object_store::Result<&[u8]> {
        self.result = self.hash.clone().finalize().into_bytes().into();
        Ok(&self.result)
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod rsa {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use graviola::signing::rsa::SigningKey;
    use object_store::client::Signer;

    use super::{is_tls_supported, unsupported};

    /// Returns a signer with a key in PEM: PKCS #8, as in the files of service accounts, or PKCS #1.
    pub(super) fn signer(pem: &[u8]) -> object_store::Result<Box<dyn Signer>> {
        if !is_tls_supported() {
            return Err(unsupported("signing on this processor"));
        }
        let text = String::from_utf8_lossy(pem);
        let encoded: String = text.lines().map(str::trim).filter(|line| !line.starts_with("-----")).collect();
        let der = BASE64_STANDARD.decode(encoded).map_err(|_| unsupported("a private key that is not PEM"))?;
        let key = SigningKey::from_pkcs8_der(&der).or_else(|_| SigningKey::from_pkcs1_der(&der));
        key.map(|key| Box::new(Key(key)) as _).map_err(|_| unsupported("a private key that is not RSA"))
    }

    struct Key(SigningKey);

    impl Signer for Key {
        fn sign(&self, string_to_sign: &[u8]) -> object_store::Result<Vec<u8>> {
            let mut signature = vec![0; self.0.modulus_len_bytes()];
            let signed = self.0.sign_pkcs1_sha256(&mut signature, string_to_sign);
            signed.map(<[u8]>::to_vec).map_err(|_| unsupported("a signature with this key"))
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod rsa {
    pub(super) fn signer(_: &[u8]) -> object_store::Result<Box<dyn object_store::client::Signer>> {
        Err(super::unsupported("a service account's key on this processor"))
    }
}

/// Returns whether the processor has the instructions that the TLS provider needs. It would panic without them.
#[cfg(target_arch = "x86_64")]
fn is_tls_supported() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("aes") && has!("pclmulqdq") && has!("bmi1") && has!("adx") && has!("avx") && has!("avx2")
}

/// Returns whether the processor has the instructions that the TLS provider needs. It would panic without them.
#[cfg(target_arch = "aarch64")]
fn is_tls_supported() -> bool {
    use std::arch::is_aarch64_feature_detected as has;
    has!("neon") && has!("aes") && has!("pmull") && has!("sha2")
}

/// Makes the provider of TLS the default of this process, unless there is one already.
///
/// The HTTP client needs a provider even for plain HTTP, so there is always one; without the instructions that it needs, it
/// must not be used for HTTPS.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) fn prepare_tls(is_needed: bool) -> Result<()> {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    let is_ours = *INSTALLED.get_or_init(|| rustls_graviola::default_provider().install_default().is_ok());
    if is_needed && is_ours && !is_tls_supported() {
        return Err(StoreError::new(
            StoreErrorKind::NoTls,
            "HTTPS needs a processor with AES and vector instructions (x86-64 with AVX2 and ADX, or ARMv8 with AES), and this \
             one has none",
        ));
    }
    Ok(())
}

/// Makes the provider of TLS the default of this process, unless there is one already.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) fn prepare_tls(_is_needed: bool) -> Result<()> {
    static HAS_PROVIDER: OnceLock<bool> = OnceLock::new();
    if *HAS_PROVIDER.get_or_init(|| rustls::crypto::CryptoProvider::get_default().is_some()) {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::NoTls,
        "there is no TLS for this processor architecture; install a provider of rustls in the program",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn hashes_are_those_of_the_standards() {
        // FIPS 180-2, appendix B.1, and RFC 4231, test case 2.
        let mut digest = CRYPTO.digest(DigestAlgorithm::Sha256).unwrap();
        digest.update(b"a");
        digest.update(b"bc");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex(digest.finish().unwrap()), expected);
        let mut keyed = CRYPTO.hmac(DigestAlgorithm::Sha256, b"Jefe").unwrap();
        keyed.update(b"what do ya want for nothing?");
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(keyed.finish().unwrap()), expected);
    }

    #[test]
    fn a_key_that_is_not_one_is_an_error() {
        for pem in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "-----BEGIN\n!!\n-----END"] {
            assert!(CRYPTO.sign(SigningAlgorithm::RS256, pem.as_bytes()).is_err());
        }
    }
}
