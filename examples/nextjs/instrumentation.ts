/** On SIGTERM, sends what is still to be reported before the process ends. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === 'nodejs' && process.env.NEXT_MANUAL_SIG_HANDLE) {
    const { closeOnSignal } = await import('target-node-sdk');
    const { target } = await import('./target');
    closeOnSignal(target.client()).closed.then(() => process.exit(0));
  }
}
