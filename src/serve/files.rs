//! What the server reads again while it runs: at SIGHUP, a certificate also when its files change.

use std::sync::Arc;

use tokio::signal::unix::Signal;

use super::ServeConfig;
use crate::access::Access;
use crate::from_file::ReadAgain;
use crate::http::tls::Tls;
use crate::webhooks::Webhooks;

/// All files but the certificate's.
pub(super) fn of(config: &ServeConfig, access: &Access) -> Vec<Arc<dyn ReadAgain>> {
    fn any<T: ReadAgain + 'static>(file: &Arc<T>) -> Arc<dyn ReadAgain> {
        Arc::<T>::clone(file)
    }
    let operators = &config.operators;
    let webhooks = operators.webhooks.as_ref();
    let turn = config.ice_servers.turn.as_ref();
    let files = [
        access.file(),
        operators.api_keys.as_ref().map(any),
        webhooks.map(|it| any(&it.secrets)),
        turn.map(|it| any(&it.secret)),
    ];
    files.into_iter().flatten().collect()
}

/// Has them read again at each hangup, and webhooks tried again that were left alone.
pub(super) fn follow(
    mut hangups: Signal,
    files: Vec<Arc<dyn ReadAgain>>,
    tls: Option<Arc<Tls>>,
    webhooks: Webhooks,
) {
    if let Some(tls) = tls.clone() {
        tokio::spawn(async move { tls.follow_files().await });
    }
    tokio::spawn(async move {
        while hangups.recv().await.is_some() {
            files.iter().for_each(|file| file.read_again());
            webhooks.wake();
            if let Some(tls) = &tls {
                tls.read_again();
            }
        }
    });
}
