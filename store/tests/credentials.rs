//! Sources of credentials, each through [`Store::open`] in a process with an environment of its own, against a server that
//! plays the store, the source, and a proxy for addresses that are fixed. Also what requests say about objects and parts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/fake.rs"]
mod fake;

use std::process::Command;

use cogsmith_store::{SharedUpload, StorageOptions, Store, Target, UploadOptions};
use fake::{Seen, Server, home};

/// Runs as a process of its own with the environment of [`ask`]; alone it does nothing.
#[test]
fn child() {
    let Ok(address) = std::env::var("CHILD_ADDRESS") else { return };
    let mut options = StorageOptions::new().option("max_retries", "0");
    for pair in std::env::var("CHILD_OPTIONS").unwrap_or_default().lines() {
        let (name, value) = pair.split_once('=').unwrap();
        options = options.option(name, value);
    }
    let target = Target::parse(&address).unwrap();
    let outcome = Store::open(&target, &options).and_then(|store| store.exists(&target));
    println!("OUTCOME {outcome:?}");
}

/// Asks whether an object exists, in a process with this environment and home folder, and returns the outcome.
fn ask(address: &str, home: &std::path::Path, environment: &[(&str, &str)], options: &[(&str, &str)]) -> String {
    let options: Vec<_> = options.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .env("CHILD_ADDRESS", address)
        .env("CHILD_OPTIONS", options.join("\n"))
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let outcome = said.lines().find_map(|line| Some(line.split_once("OUTCOME ")?.1.to_owned()));
    outcome.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&run.stderr)))
}

/// An object store without objects, and the sources of credentials.
fn answer(request: &Seen) -> (u16, String) {
    let line = request.line.as_str();
    let keys = |key: &str| {
        format!(
            r#"{{"AccessKeyId": "{key}", "SecretAccessKey": "s", "Token": "t-{key}", "Expiration": "2099-01-01T00:00:00Z"}}"#
        )
    };
    if line.starts_with("HEAD ") {
        (404, String::new())
    } else if line.starts_with("PUT /latest/api/token") {
        (200, "session".to_owned())
    } else if line.contains("/latest/meta-data/iam/security-credentials/ ")
        || line.contains("/security-credentials HTTP")
    {
        (200, "machine".to_owned())
    } else if line.contains("/latest/meta-data/iam/security-credentials/machine") {
        (200, keys("INSTANCE"))
    } else if line.contains("/container") {
        (200, keys("CONTAINER"))
    } else if line.contains("/federation/credentials") {
        let found = r#"{"roleCredentials": {"accessKeyId": "SSO", "secretAccessKey": "s", "sessionToken": "t-SSO", "expiration": 4070908800000}}"#;
        if request.header("x-amz-sso_bearer_token") == "bearer" {
            (200, found.to_owned())
        } else {
            (401, String::new())
        }
    } else if line.starts_with("POST / ") {
        // The second of two roles is assumed with the credentials of the first.
        let key = if request.header("authorization").contains("Credential=ROLE/") { "SECOND" } else { "ROLE" };
        let text = format!(
            "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>{key}</AccessKeyId>\
             <SecretAccessKey>s</SecretAccessKey><SessionToken>t-{key}</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
        );
        (200, text)
    } else if line.contains("/computeMetadata/") {
        (200, r#"{"access_token": "google-machine", "expires_in": 3600, "token_type": "Bearer"}"#.to_owned())
    } else if line.contains("/msi") || line.contains("/oauth2/v2.0/token") {
        (200, r#"{"access_token": "azure-token", "expires_in": 3600, "expires_on": "4070908800", "token_type": "Bearer"}"#.to_owned())
    } else {
        (404, String::new())
    }
}

const S3: &str = "s3://bucket/key";
const AZURE: &str = "az://container/key";

/// Checks that the request to S3 was signed with a key, and has the token that belongs to it.
fn signed_by(server: &Server, key: &str, token: &str) {
    let request = server.to_store();
    let authorization = request.header("authorization");
    assert!(authorization.starts_with(&format!("AWS4-HMAC-SHA256 Credential={key}/")), "{authorization}");
    assert_eq!(request.header("x-amz-security-token"), token);
}

#[test]
fn keys_of_the_environment() {
    let server = Server::start(answer);
    let environment = [
        ("AWS_ENDPOINT_URL", server.url.as_str()),
        ("AWS_ACCESS_KEY_ID", "ENVIRONMENT"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_SESSION_TOKEN", "t"),
    ];
    // The default profile has other keys.
    let home = home(&[(".aws/credentials", "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n")]);
    assert_eq!(ask(S3, home.path(), &environment, &[]), "Ok(false)");
    signed_by(&server, "ENVIRONMENT", "t");
}

#[test]
fn shared_files() {
    let files = [
        (
            ".aws/credentials",
            "[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n[work]\naws_access_key_id=WORK\naws_secret_access_key=s\naws_session_token=t\n",
        ),
        (".aws/config", "[profile work]\nregion = eu-north-1\n"),
        ("other/credentials", "[default]\naws_access_key_id = OTHER\naws_secret_access_key = s\n"),
    ];
    let home = home(&files);
    let other = home.path().join("other/credentials");
    for (variable, value, key, token, region) in [
        ("UNUSED", "", "FILE", "", "us-east-1"),
        ("AWS_PROFILE", "work", "WORK", "t", "eu-north-1"),
        ("AWS_SHARED_CREDENTIALS_FILE", other.to_str().unwrap(), "OTHER", "", "us-east-1"),
    ] {
        let server = Server::start(answer);
        let environment = [("AWS_ENDPOINT_URL", server.url.as_str()), (variable, value)];
        assert_eq!(ask(S3, home.path(), &environment, &[]), "Ok(false)");
        signed_by(&server, key, token);
        assert!(server.to_store().header("authorization").contains(&format!("/{region}/s3/")));
    }
}

#[test]
fn roles_of_profiles() {
    let config = "[profile first]\nrole_arn = arn:aws:iam::1:role/first\nsource_profile = base\nexternal_id = x y\n\
                  duration_seconds = 1800\nregion = eu-west-3\n\
                  [profile second]\nrole_arn = arn:aws:iam::2:role/second\nsource_profile = first\nrole_session_name = me\n\
                  [profile own]\nrole_arn = arn:aws:iam::1:role/own\nsource_profile = own\naws_access_key_id = BASE\n\
                  aws_secret_access_key = s\n\
                  [profile environment]\nrole_arn = arn:aws:iam::1:role/e\ncredential_source = Environment\n\
                  [profile instance]\nrole_arn = arn:aws:iam::1:role/i\ncredential_source = Ec2InstanceMetadata\n\
                  [profile circle]\nrole_arn = arn:aws:iam::1:role/c\nsource_profile = circle2\n\
                  [profile circle2]\nrole_arn = arn:aws:iam::1:role/c\nsource_profile = circle\n\
                  [profile code]\nrole_arn = arn:aws:iam::1:role/c\nsource_profile = base\nmfa_serial = m\n";
    let home = home(&[
        (".aws/config", config),
        (".aws/credentials", "[base]\naws_access_key_id = BASE\naws_secret_access_key = s\n"),
    ]);
    let environment = |server: &Server, profile: &'static str| {
        vec![
            ("AWS_ENDPOINT_URL".to_owned(), server.url.clone()),
            ("AWS_ENDPOINT_URL_STS".to_owned(), server.url.clone()),
            ("AWS_METADATA_ENDPOINT".to_owned(), server.url.clone()),
            ("AWS_PROFILE".to_owned(), profile.to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "ENVIRONMENT".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "s".to_owned()),
        ]
    };
    for (profile, calls, key, source, region) in [
        ("first", 1, "ROLE", "BASE", "eu-west-3"),
        ("second", 2, "SECOND", "BASE", "us-east-1"),
        ("own", 1, "ROLE", "BASE", "us-east-1"),
        ("environment", 1, "ROLE", "ENVIRONMENT", "us-east-1"),
        ("instance", 1, "ROLE", "INSTANCE", "us-east-1"),
    ] {
        let server = Server::start(answer);
        let variables = environment(&server, profile);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(ask(S3, home.path(), &variables, &[]), "Ok(false)", "{profile}");
        signed_by(&server, key, &format!("t-{key}"));
        let assumed = server.seen("POST / ");
        assert_eq!(assumed.len(), calls, "{profile}");
        let authorization = assumed[0].header("authorization");
        assert!(authorization.contains(&format!("Credential={source}/")), "{profile}: {authorization}");
        assert!(authorization.contains(&format!("/{region}/sts/aws4_request")), "{profile}: {authorization}");
        assert!(assumed[0].body.starts_with("Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A"));
        if profile == "first" {
            assert!(assumed[0].body.ends_with("&ExternalId=x+y&DurationSeconds=1800"), "{}", assumed[0].body);
        }
        if profile == "second" {
            assert!(assumed[1].body.contains("RoleSessionName=me") && assumed[1].body.contains("role%2Fsecond"));
        }
    }
    for (profile, problem) in [("circle", "source of each other"), ("code", "mfa_serial, which is not supported")] {
        let server = Server::start(answer);
        let variables = environment(&server, profile);
        let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let outcome = ask(S3, home.path(), &variables, &[]);
        assert!(outcome.contains("NoCredentials") && outcome.contains(problem), "{outcome}");
        assert!(server.seen("").is_empty());
    }
}

#[test]
fn a_role_that_is_refused_is_named() {
    fn refuse(request: &Seen) -> (u16, String) {
        if request.line.starts_with("POST / ") {
            (
                403,
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
                    .to_owned(),
            )
        } else {
            answer(request)
        }
    }
    let server = Server::start(refuse);
    let home = home(&[(
        ".aws/config",
        "[default]\nrole_arn = arn:aws:iam::1:role/r\nsource_profile = base\n[profile base]\naws_access_key_id = BASE\naws_secret_access_key = SECRET\n",
    )]);
    let environment = [("AWS_ENDPOINT_URL", server.url.as_str()), ("AWS_ENDPOINT_URL_STS", server.url.as_str())];
    let outcome = ask(S3, home.path(), &environment, &[]);
    assert!(
        outcome.contains("AccessDenied") && outcome.contains("role 'arn:aws:iam::1:role/r' cannot be assumed"),
        "{outcome}"
    );
    assert!(!outcome.contains("SECRET") && server.seen("HEAD ").is_empty());
}

#[test]
#[cfg(unix)]
fn programs_run_on_request() {
    let config = r#"[default]
credential_process = printf '{"Version": 1, "AccessKeyId": "PROGRAM", "SecretAccessKey": "s", "SessionToken": "t-PROGRAM"}'
"#;
    let home = home(&[(".aws/config", config)]);
    let server = Server::start(answer);
    let endpoint = ("AWS_ENDPOINT_URL", server.url.as_str());
    let outcome = ask(S3, home.path(), &[endpoint], &[]);
    assert!(
        outcome.contains("COGSMITH_CREDENTIAL_PROCESS") && outcome.contains("aws configure export-credentials"),
        "{outcome}"
    );
    assert!(server.seen("").is_empty());
    assert_eq!(ask(S3, home.path(), &[endpoint, ("COGSMITH_CREDENTIAL_PROCESS", "1")], &[]), "Ok(false)");
    signed_by(&server, "PROGRAM", "t-PROGRAM");
    let other = Server::start(answer);
    let endpoint = ("AWS_ENDPOINT_URL", other.url.as_str());
    assert_eq!(ask(S3, home.path(), &[endpoint], &[("credential_process", "true")]), "Ok(false)");
    signed_by(&other, "PROGRAM", "t-PROGRAM");
}

#[test]
fn sessions_of_single_sign_on() {
    let config = "[profile new]\nsso_session = company\nsso_account_id = 12\nsso_role_name = reader\n\
                  [sso-session company]\nsso_region = eu-west-1\nsso_start_url = https://company.example/start/\n\
                  [profile old]\nsso_region = eu-west-1\nsso_start_url = https://company.example/start\nsso_account_id = 12\nsso_role_name = reader\n";
    let token = |token: &str, end: &str| {
        format!(r#"{{"startUrl": "https://company.example/start", "accessToken": "{token}", "expiresAt": "{end}"}}"#)
    };
    for profile in ["new", "old"] {
        for (token, problem) in [
            (Some(token("bearer", "2099-01-01T00:00:00Z")), ""),
            (Some(token("bearer", "2020-01-01T00:00:00UTC")), "has ended"),
            (Some(token("revoked", "2099-01-01T00:00:00Z")), "is not valid any more"),
            (None, "does not exist"),
        ] {
            let other = r#"{"startUrl": "https://other.example/start", "accessToken": "other", "expiresAt": "2099-01-01T00:00:00Z"}"#;
            let mut files =
                vec![(".aws/config", config), (".aws/sso/cache/a.json", other), (".aws/sso/cache/client.json", "{}")];
            if let Some(token) = &token {
                files.push((".aws/sso/cache/b.json", token));
            }
            let (home, server) = (home(&files), Server::start(answer));
            let environment = [
                ("AWS_ENDPOINT_URL", server.url.as_str()),
                ("AWS_ENDPOINT_URL_SSO", server.url.as_str()),
                ("AWS_PROFILE", profile),
            ];
            let outcome = ask(S3, home.path(), &environment, &[]);
            if problem.is_empty() {
                assert_eq!(outcome, "Ok(false)");
                signed_by(&server, "SSO", "t-SSO");
                assert!(server.seen("GET ")[0].line.contains("role_name=reader&account_id=12"));
            } else {
                let command = format!("`aws sso login --profile {profile}`");
                assert!(outcome.contains(problem) && outcome.contains(&command), "{outcome}");
                assert!(
                    outcome.contains("aws configure export-credentials") && !outcome.contains("revoked"),
                    "{outcome}"
                );
                assert!(server.seen("HEAD ").is_empty());
            }
        }
    }
}

#[test]
fn metadata_of_instances_and_containers() {
    let home = home(&[("token", "pod-token")]);
    let token = home.path().join("token");
    let server = Server::start(answer);
    let environment = [("AWS_ENDPOINT_URL", server.url.as_str()), ("AWS_METADATA_ENDPOINT", server.url.as_str())];
    assert_eq!(ask(S3, home.path(), &environment, &[]), "Ok(false)");
    signed_by(&server, "INSTANCE", "t-INSTANCE");
    // Version 2: with a session.
    assert!(server.seen("GET ").iter().all(|request| request.header("x-aws-ec2-metadata-token") == "session"));

    // The address is 169.254.170.2, which the server answers for as a proxy.
    let server = Server::start(answer);
    let environment =
        [("AWS_ENDPOINT_URL", "http://store.example"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/container")];
    assert_eq!(ask(S3, home.path(), &environment, &[("proxy_url", &server.url)]), "Ok(false)");
    signed_by(&server, "CONTAINER", "t-CONTAINER");
    assert!(server.seen("GET ")[0].line.starts_with("GET http://169.254.170.2/container"));

    let server = Server::start(answer);
    let uri = format!("{}/container", server.url);
    let environment = [
        ("AWS_ENDPOINT_URL", server.url.as_str()),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
    ];
    assert_eq!(ask(S3, home.path(), &environment, &[]), "Ok(false)");
    signed_by(&server, "CONTAINER", "t-CONTAINER");
    assert_eq!(server.seen("GET ")[0].header("authorization"), "pod-token");
}

/// The client insists on HTTPS for these; the proxy sees which host it asks for.
#[test]
fn sources_that_need_tls_are_asked() {
    let adc = r#"{"type": "authorized_user", "client_id": "c", "client_secret": "SECRET", "refresh_token": "SECRET"}"#;
    let home = home(&[
        ("token", "web-token"),
        (".aws/config", "[profile web]\nrole_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = /no/such/file\n"),
        (".config/gcloud/application_default_credentials.json", adc),
    ]);
    let token = home.path().join("token");
    let environment =
        [("AWS_WEB_IDENTITY_TOKEN_FILE", token.to_str().unwrap()), ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")];
    for (address, environment, host) in [
        (S3, environment.as_slice(), "CONNECT sts.us-east-1.amazonaws.com:443"),
        ("gs://bucket/key", [].as_slice(), "CONNECT accounts.google.com:443"),
    ] {
        let server = Server::start(answer);
        let outcome = ask(address, home.path(), environment, &[("proxy_url", &server.url)]);
        assert!(outcome.starts_with("Err") && !outcome.contains("SECRET"), "{outcome}");
        assert!(!server.seen(host).is_empty(), "{outcome} {:?}", server.seen(""));
        assert!(server.seen("HEAD ").is_empty());
    }
    // The role of a profile with a token is left to the client, which reads the file.
    let server = Server::start(answer);
    let outcome = ask(S3, home.path(), &[("AWS_PROFILE", "web"), ("AWS_ENDPOINT_URL", &server.url)], &[]);
    assert!(outcome.contains("/no/such/file"), "{outcome}");
}

#[test]
fn tokens_of_google() {
    let home = home(&[]);
    let (server, environment) = (Server::start(answer), [("GOOGLE_BASE_URL", "http://store.example")]);
    assert_eq!(ask("gs://bucket/key", home.path(), &environment, &[("proxy_url", &server.url)]), "Ok(false)");
    assert_eq!(server.to_store().header("authorization"), "Bearer google-machine");
    assert_eq!(server.seen("/computeMetadata/")[0].header("metadata-flavor"), "Google");

    let server = Server::start(answer);
    let environment = [("GOOGLE_BASE_URL", server.url.as_str()), ("GOOGLE_BEARER_TOKEN", "given")];
    assert_eq!(ask("gs://bucket/key", home.path(), &environment, &[]), "Ok(false)");
    assert_eq!(server.to_store().header("authorization"), "Bearer given");
}

#[test]
fn credentials_of_azure() {
    let home = home(&[]);
    for (name, value, expected) in [
        ("AZURE_STORAGE_ACCESS_KEY", "a2V5", "SharedKey acc:"),
        ("AZURE_STORAGE_ACCESS_TOKEN", "given", "Bearer given"),
        ("AZURE_STORAGE_SAS_TOKEN", "sv=2021-08-06&sig=SIGNATURE", ""),
        ("AZURE_NO_SIGN_REQUEST", "yes", ""),
    ] {
        let server = Server::start(answer);
        let environment =
            [("AZURE_STORAGE_ACCOUNT", "acc"), ("AZURE_STORAGE_ENDPOINT", server.url.as_str()), (name, value)];
        assert_eq!(ask(AZURE, home.path(), &environment, &[]), "Ok(false)", "{name}");
        let request = server.to_store();
        let authorization = request.header("authorization");
        assert!(
            authorization.starts_with(expected) && authorization.is_empty() == expected.is_empty(),
            "{authorization}"
        );
        assert_eq!(request.line.contains("sig=SIGNATURE"), name.contains("SAS"), "{}", request.line);
    }
    let server = Server::start(answer);
    let msi = format!("{}/msi", server.url);
    let environment = [
        ("AZURE_STORAGE_ACCOUNT", "acc"),
        ("AZURE_STORAGE_ENDPOINT", server.url.as_str()),
        ("AZURE_MSI_ENDPOINT", &msi),
    ];
    assert_eq!(ask(AZURE, home.path(), &environment, &[]), "Ok(false)");
    assert_eq!(server.to_store().header("authorization"), "Bearer azure-token");
    assert!(server.seen("/msi")[0].line.contains("resource=https%3A%2F%2Fstorage.azure.com"));

    let server = Server::start(answer);
    let environment = [
        ("AZURE_STORAGE_ACCOUNT", "acc"),
        ("AZURE_STORAGE_ENDPOINT", server.url.as_str()),
        ("AZURE_AUTHORITY_HOST", server.url.as_str()),
        ("AZURE_CLIENT_ID", "client"),
        ("AZURE_CLIENT_SECRET", "s"),
        ("AZURE_TENANT_ID", "tenant"),
    ];
    assert_eq!(ask(AZURE, home.path(), &environment, &[]), "Ok(false)");
    assert_eq!(server.to_store().header("authorization"), "Bearer azure-token");
    assert!(server.seen("/tenant/oauth2/v2.0/token")[0].body.contains("grant_type=client_credentials"));
}

/// Returns an upload of a part, and the requests of it.
fn sent(target: &str, options: &[(&str, &str)]) -> Vec<Seen> {
    fn accept(request: &Seen) -> (u16, String) {
        if request.line.starts_with("HEAD ") {
            // Longer than the interval at which flags that cancel are looked at.
            std::thread::sleep(std::time::Duration::from_millis(120));
            return (404, String::new());
        }
        let id = "<InitiateMultipartUploadResult><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>";
        (if request.line.contains("comp=") { 201 } else { 200 }, id.to_owned())
    }
    let server = Server::start(accept);
    let mut storage = StorageOptions::new().use_environment(false).option("endpoint", &server.url);
    for (name, value) in options {
        storage = storage.option(*name, *value);
    }
    let target = Target::parse(target).unwrap();
    let (store, options) = (Store::open(&target, &storage).unwrap(), UploadOptions::new());
    let upload = SharedUpload::begin(&store, &target, &options).unwrap();
    // S3 needs an ETag in the answer to a part, which this server does not send.
    let [name, again] = [0; 2].map(|_| upload.send(&store, 7, b"bytes".to_vec()).unwrap_or_default());
    assert_eq!(name, again, "a part that is sent twice replaces itself");
    if target.to_string().starts_with("az") {
        upload.complete(&store, &[(7, name)], 5, &options).unwrap();
    }
    server.seen("")
}

#[test]
fn parts_have_checksums() {
    // `printf bytes | md5sum` in Base64, and `printf bytes | sha256sum`.
    let seen = sent(AZURE, &[("account_name", "acc"), ("access_key", "a2V5")]);
    let blocks: Vec<_> = seen.iter().filter(|request| request.line.contains("comp=block&")).collect();
    assert_eq!(blocks.len(), 2);
    assert!(
        blocks.iter().all(|block| block.header("content-md5") == "SzpiGLs+OnMD6KFxpg/Pkg==" && block.body == "bytes")
    );
    let keys = [("access_key_id", "K"), ("secret_access_key", "s")];
    let seen = sent(S3, &keys);
    let parts: Vec<_> = seen.iter().filter(|request| request.line.contains("partNumber=7")).collect();
    assert!(!parts.is_empty());
    let expected = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9";
    assert!(parts.iter().all(|part| part.header("x-amz-content-sha256") == expected), "{parts:?}");
}

#[test]
fn objects_have_the_attributes_of_the_connection() {
    let attributes = [("cache_control", "max-age=60"), ("storage_class", "STANDARD_IA")];
    let keys = [
        ("access_key_id", "K"),
        ("secret_access_key", "s"),
        ("server_side_encryption", "aws:kms"),
        ("sse_kms_key_id", "k1"),
    ];
    let seen = sent(S3, &[attributes.as_slice(), &keys].concat());
    let begun = seen.iter().find(|request| request.line.contains("uploads")).unwrap();
    assert_eq!(begun.header("cache-control"), "max-age=60");
    assert_eq!(begun.header("x-amz-storage-class"), "STANDARD_IA");
    assert_eq!(begun.header("x-amz-server-side-encryption"), "aws:kms");
    assert_eq!(begun.header("x-amz-server-side-encryption-aws-kms-key-id"), "k1");
    assert!(begun.header("authorization").contains("x-amz-storage-class"), "the header is not signed");
    let seen = sent(
        AZURE,
        &[("account_name", "acc"), ("access_key", "a2V5"), ("cache_control", "max-age=60"), ("storage_class", "Cool")],
    );
    let completed = seen.iter().find(|request| request.line.contains("comp=blocklist")).unwrap();
    assert_eq!(completed.header("x-ms-blob-cache-control"), "max-age=60");
    assert_eq!(completed.header("x-ms-access-tier"), "Cool");
}

#[test]
fn requests_without_credentials() {
    let home = home(&[]);
    for (address, variables) in [
        (S3, [("AWS_ENDPOINT_URL", ""), ("AWS_NO_SIGN_REQUEST", "YES")]),
        ("gs://bucket/key", [("GOOGLE_BASE_URL", ""), ("GS_NO_SIGN_REQUEST", "YES")]),
    ] {
        let server = Server::start(answer);
        let environment =
            variables.map(|(name, value)| (name, if value.is_empty() { server.url.as_str() } else { value }));
        assert_eq!(ask(address, home.path(), &environment, &[]), "Ok(false)");
        assert_eq!(server.to_store().header("authorization"), "");
    }
}
