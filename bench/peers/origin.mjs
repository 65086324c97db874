// origin.mjs: the web server of the pages, in a process of its own.
//
//   /pages/NAME        pages/NAME.html
//   /npm/PACKAGE/...   a file of an installed package
//   /data/...          a file of data/;  /svelte/NAME  one of them, compiled
//   /api/...           the answers below; delay_ms=N makes one slow

import {createServer} from 'node:http';
import {readFile} from 'node:fs/promises';
import {createRequire} from 'node:module';
import {extname, join, normalize} from 'node:path';

const root = import.meta.dirname;
const types = {'.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript',
               '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml',
               '.md': 'text/markdown', '.woff2': 'font/woff2', '.svelte': 'text/javascript',
               '.mmd': 'text/plain'};
const products = [{id: 1, name: 'Quince jelly'}, {id: 2, name: 'Sloe syrup'},
                  {id: 3, name: 'Medlar wine'}];
const months = {1: 'October', 2: 'December', 3: 'November'};
const tile = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY' +
                         '42YAAAAASUVORK5CYII=', 'base64');

function fragment(n) {
    return n < 3 ? `<p>fragment ${n} of 3</p><div hx-get="/api/fragment?n=${n + 1}&delay_ms=20"
                     hx-trigger="load delay:100ms">...</div>` : `<p>fragment ${n} of 3</p>`;
}

const api = {
    products: () => ['application/json', JSON.stringify(products)],
    product: query => ['application/json',
                       JSON.stringify({text: `made in ${months[query.get('id')]}`})],
    step: query => ['application/json',
                    JSON.stringify({text: `step ${query.get('n')} of the work`})],
    fragment: query => ['text/html', fragment(Number(query.get('n')))],
    tile: () => ['image/png', tile],
};

function events(response) {
    response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
    for (let n = 1; n <= 3; n++)
        setTimeout(() => response.write(`data: event ${n}\n\n`), n * 30);
}

function answerApi(name, query, response) {
    if (name === 'events')
        return events(response);
    const [type, body] = api[name](query);
    setTimeout(() => {
        response.writeHead(200, {'Content-Type': type, 'Content-Length': Buffer.byteLength(body),
                                 'Cache-Control': 'no-store'});
        response.end(body);
    }, Number(query.get('delay_ms') ?? 0));
}

// Files stay in memory: the disk is not what is measured.
const files = new Map();

async function load(path) {
    if (path.startsWith('/svelte/')) {
        const {compile} = createRequire(import.meta.url)('svelte/compiler');
        return compile(await readFile(join(root, 'data', path.slice(8)), 'utf8')).js.code;
    }
    if (path.startsWith('/pages/'))
        return readFile(join(root, `${path}.html`));
    return readFile(join(root, path.startsWith('/npm/') ? `node_modules/${path.slice(5)}` : path));
}

async function answerFile(path, response) {
    if (!files.has(path))
        files.set(path, await load(path));
    const body = files.get(path);
    const type = path.startsWith('/pages/') ? 'text/html' : types[extname(path)];
    response.writeHead(200, {'Content-Type': type ?? 'application/octet-stream',
                             'Content-Length': Buffer.byteLength(body),
                             'Cache-Control': type === 'text/html' ? 'no-cache' : 'max-age=600'});
    response.end(body);
}

const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://origin');
    const path = normalize(decodeURIComponent(url.pathname));
    const name = path.startsWith('/api/') ? path.slice(5) : '';
    if (name !== '' && (name === 'events' || api[name] !== undefined))
        return answerApi(name, url.searchParams, response);
    answerFile(path, response).catch(error => {
        response.writeHead(404);
        response.end();
        if (process.env.ORIGIN_LOG)
            console.error(`origin: ${request.url}: ${error.message}`);
    });
});
server.keepAliveTimeout = 60000;
server.listen(0, '127.0.0.1', () => process.send({port: server.address().port}));
process.on('disconnect', () => process.exit());
