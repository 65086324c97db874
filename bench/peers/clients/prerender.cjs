// The prerender server, with the plugins that its own server.js uses.
const prerender = require('prerender');

const port = Number(process.env.BENCH_PORT);
const server = prerender({
    port,
    chromeLocation: process.env.BENCH_BROWSER,
    extraChromeFlags: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
server.use(prerender.sendPrerenderHeader());
server.use(prerender.browserForceRestart());
server.use(prerender.addMetaTags());
server.use(prerender.removeScriptTags());
server.use(prerender.httpHeaders());
server.start();
process.on('disconnect', () => {
    server.killBrowser?.();
    setTimeout(() => process.exit(), 500);
});
