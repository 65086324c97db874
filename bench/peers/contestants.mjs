// contestants.mjs: prerenderd, its peers and the floor, each as a process that renders.
//
// A contestant has `pid` (its browser is below it), `render(url, affinity)`, which resolves to
// {html, ms}, and `stop()`. A server has `request(url, affinity)`, too: the {url, body} of an
// HTTP request that makes it render; with a body it is a POST of JSON.

import {fork, spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {request} from 'node:http';
import {createServer} from 'node:net';
import {performance} from 'node:perf_hooks';
import {createInterface} from 'node:readline';
import {processes} from './process.mjs';

const root = import.meta.dirname;
const STOP_MS = 5000;

// Children that are connected end with this process by themselves; the daemon is not.
const daemons = new Set();
process.on('exit', () => daemons.forEach(child => child.kill('SIGTERM')));

// Ends a child and everything below it that does not end with it.
async function stop(child) {
    const below = processes(child.pid).slice(1);
    const ended = new Promise(resolve => child.once('exit', resolve));
    if (child.connected)
        child.disconnect();
    else
        child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(timer);
    for (const {pid} of below) {
        try {
            process.kill(pid, 'SIGKILL');
        } catch {
            // It ended with its parent, as it should.
        }
    }
}

// A request on a connection of its own: the time is from connect to the last byte.
function ask({url, body}) {
    return new Promise((resolve, reject) => {
        const start = performance.now();
        const options = {agent: false, method: body === undefined ? 'GET' : 'POST',
                         headers: body === undefined ? {} : {'Content-Type': 'application/json'}};
        const outgoing = request(url, options, answer => {
            const chunks = [];
            answer.on('data', chunk => chunks.push(chunk)).on('error', reject).on('end', () => {
                const ms = performance.now() - start;
                resolve({status: answer.statusCode, html: Buffer.concat(chunks).toString(), ms});
            });
        });
        outgoing.on('error', reject);
        outgoing.end(body);
    });
}

function server(child, request) {
    return {pid: child.pid, stop: () => stop(child), request,
            render: (url, affinity) => ask(request(url, affinity))};
}

function freePort() {
    return new Promise(resolve => {
        const server = createServer().listen(0, '127.0.0.1', () => {
            const {port} = server.address();
            server.close(() => resolve(port));
        });
    });
}

// Until it answers with that status, or with any.
async function untilReady(url, status) {
    for (let tries = 0; tries < 600; tries++) {
        const answer = await ask({url}).catch(() => null);
        if (answer !== null && answer.status === (status ?? answer.status))
            return;
        await new Promise(resolve => setTimeout(resolve, 50));
    }
    throw new Error(`nothing is ready at ${url}`);
}

// A script of clients/ that renders what it is sent.
async function startClient(name, environment) {
    const child = fork(`${root}/clients/${name}.mjs`, {
        env: {...process.env, ...environment}, serialization: 'advanced'});
    const waiting = new Map();
    let ids = 0;
    await new Promise((resolve, reject) => {
        child.once('message', resolve);
        child.once('exit', code => reject(new Error(`${name} ended with ${code}`)));
    });
    child.on('message', ({id, html, ms, error}) => {
        const {resolve, reject, start} = waiting.get(id);
        waiting.delete(id);
        if (error !== undefined)
            reject(new Error(error));
        else
            resolve({html, ms: ms ?? performance.now() - start});
    });
    return {
        pid: child.pid,
        stop: () => stop(child),
        render: url => new Promise((resolve, reject) => {
            const id = ++ids;
            waiting.set(id, {resolve, reject, start: performance.now()});
            child.send({id, url});
        }),
    };
}

async function startPrerender(environment) {
    const port = await freePort(), debugPort = await freePort();
    const child = fork(`${root}/clients/prerender.cjs`, {
        silent: true,
        env: {...process.env, ...environment, BENCH_PORT: port, BROWSER_DEBUGGING_PORT: debugPort}});
    child.stdout.resume();
    child.stderr.resume();
    await untilReady(`http://127.0.0.1:${port}/`);
    return server(child, url => ({url: `http://127.0.0.1:${port}/${url}`}));
}

// `knobs` are arguments of the daemon.
export async function startDaemon(program, knobs) {
    const child = spawn(program, ['--http.listen=127.0.0.1:0', ...knobs],
                        {stdio: ['ignore', 'pipe', 'pipe']});
    const outputs = [child.stdout, child.stderr];
    const lines = outputs.map(input => createInterface({input}));
    const port = await new Promise((resolve, reject) => {
        lines.forEach(reader => reader.on('line', line => {
            const found = /listening.*127\.0\.0\.1:(\d+)/.exec(line);
            if (found)
                resolve(Number(found[1]));
        }));
        child.once('exit', code => reject(new Error(`prerenderd ended with ${code}`)));
    });
    // Its log goes unread from here, as that of prerender does.
    lines.forEach(reader => reader.close());
    outputs.forEach(output => output.resume());
    daemons.add(child);
    child.once('exit', () => daemons.delete(child));
    const address = `http://127.0.0.1:${port}`;
    await untilReady(`${address}/readyz`, 200);
    return server(child, (url, affinity) => ({
        url: `${address}/render`, body: JSON.stringify(affinity ? {url, affinity} : {url})}));
}

// The program and the switches of the daemon's browser, for the floor.
export function browserOf(daemon) {
    for (const {pid} of processes(daemon.pid).slice(1)) {
        const [path, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        if (args.some(arg => arg.startsWith('--user-data-dir=')) &&
            !args.some(arg => arg.startsWith('--type=')))
            return {path, args: args.filter(arg => arg !== '')};
    }
    throw new Error('the daemon has no browser');
}

export const peers = [
    {name: 'prerender', start: startPrerender},
    ...['puppeteer-cluster', 'puppeteer', 'playwright', 'dump-dom', 'floor'].map(name => ({
        name, start: environment => startClient(name, environment)})),
];

export function version(name) {
    return JSON.parse(readFileSync(`${root}/node_modules/${name}/package.json`)).version;
}
