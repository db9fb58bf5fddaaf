//! A web service that answers a request by streaming a Cloud Optimized GeoTIFF into an object store.
//!
//! ```sh
//! cargo run -p cogsmith-store --example axum -- scene.tif s3://bucket/folder &
//! curl -X POST http://127.0.0.1:3000/cogs/copy.tif
//! ```
//!
//! Nothing is buffered: parts are sent while rows are read and encoded. If the client goes away, axum drops the future of the
//! request; reading then stops, and the upload is aborted, so no object appears and no parts stay.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use cogsmith::{CogOptions, Compression, ErrorKind, GeoTiffSource, ReadOptions};
use cogsmith_store::{StorageOptions, Store, Target, WriteOptions, write};

/// The input, and the folder of the objects.
struct Service {
    input: PathBuf,
    folder: String,
    /// Requests share the connection.
    store: Store,
}

async fn create(State(service): State<Arc<Service>>, Path(name): Path<String>) -> Result<String, (StatusCode, String)> {
    let target = Target::parse(&format!("{}/{name}", service.folder))
        .map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let source = GeoTiffSource::open(&service.input, &ReadOptions::new()).map_err(answer)?;
    let options = WriteOptions::from(CogOptions::new().compression(Compression::ZSTD));
    // Encoding runs on a blocking thread; this future only waits, and cancels the work when it is dropped.
    let summary = write(&service.store, &target, source, &options).await.map_err(answer)?;
    Ok(format!("{target}: {} bytes\n", summary.bytes))
}

/// Returns the status and the text for an error. Messages contain no credentials.
fn answer(error: cogsmith::Error) -> (StatusCode, String) {
    let status = match error.kind() {
        ErrorKind::TargetExists { .. } => StatusCode::CONFLICT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    (status, format!("{error}\n"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: axum INPUT.tif s3://BUCKET/FOLDER".into());
    };
    let folder = folder.trim_end_matches('/').to_owned();
    let store = Store::open(&Target::parse(&format!("{folder}/any"))?, &StorageOptions::new())?;
    let service = Arc::new(Service { input: input.into(), folder, store });
    let app = Router::new().route("/cogs/{name}", post(create)).with_state(service);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
        println!("POST http://{}/cogs/NAME", listener.local_addr()?);
        axum::serve(listener, app).await
    })?;
    Ok(())
}
