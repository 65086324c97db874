// A client-rendered site as its owner would run it: Express with prerender-node in front,
// which asks the service named by the second argument when a crawler comes. The first
// argument only names the directory of the test. Prints its port when it listens.
'use strict';

const express = require('express');
const prerender = require('prerender-node');

const site = express();
site.use(prerender.set('prerenderServiceUrl', process.argv[3]));

const page = (head, script) =>
    `<!DOCTYPE html><html><head><title>site</title>${head}</head><body><div id="app"></div>` +
    `<script>${script}</script></body></html>`;
const show = (text) => `document.getElementById('app').textContent = ${text};`;

site.get('/hello', (request, response) => {
    response.set('Cache-Control', 'max-age=60');
    response.set('X-Origin', 'kept');
    response.set('Content-Security-Policy', "script-src 'unsafe-inline'");
    response.cookie('seen', 'yes');
    response.send(page('<script type="application/ld+json">{"@type":"Thing"}</script>',
        show(`'built ' + innerWidth + 'x' + innerHeight + ' ${request.headers['x-prerender']}'`)));
});
site.get('/agent', (request, response) =>
    response.send(page('', show(JSON.stringify(`agent ${request.headers['user-agent']}`)))));
site.get('/moved', (request, response) => response.redirect(301, '/hello?from=moved'));
site.get('/missing', (request, response) => response.send(page(
    '<meta name="prerender-status-code" content="404">' +
    '<meta content="X-Page: a&amp;b" name="prerender-header">', show(`'nothing here'`))));
site.get('/client-moved', (request, response) => response.send(page(
    '<meta name="prerender-status-code" content="302">' +
    '<meta name="prerender-header" content="Location: /hello">', show(`'gone'`))));
site.get('/gone', (request, response) => response.status(410).send(page('', show(`'was here'`))));
// Hidden, as the layout of half a megabyte of mixed scripts takes a browser many seconds.
site.get('/text', (request, response) =>
    response.send(page('<style>#app { display: none }</style>', show(`'\u4f60\u597d \u{1f600} \u00e9 '.repeat(40000)`))));
site.get('/query', (request, response) =>
    response.send(page('', show(JSON.stringify(`query ${request.originalUrl}`)))));
site.get('/empty', (request, response) => response.status(204).end());
site.get('/file', (request, response) => response.type('application/pdf').send('%PDF-1.4'));

const server = site.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
