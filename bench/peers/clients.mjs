// clients.mjs: what the scripts in clients/ share. Each is a process that run.mjs starts; it
// renders what it is sent and answers with the document.

export const browserPath = process.env.BENCH_BROWSER;
// Chromium's own sandbox does not work as root.
export const browserArgs = process.getuid() === 0 ? ['--no-sandbox'] : [];

// `render(url)` resolves to the document, or to {html, ms} if it has timed itself.
export function serve(render) {
    process.on('message', async ({id, url}) => {
        try {
            const result = await render(url);
            process.send({id, ...(typeof result === 'string' ? {html: result} : result)});
        } catch (error) {
            process.send({id, error: String(error.message ?? error)});
        }
    });
    process.on('disconnect', () => process.exit());
    process.send({ready: true});
}
