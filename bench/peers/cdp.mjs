// cdp.mjs: a browser with the daemon's own switches, and a bare connection to it.

import {spawn} from 'node:child_process';
import {chownSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import WebSocket from 'ws';

const NOBODY = 65534; // Whom the daemon's browser runs as when the daemon is root.

// `args` are those of the daemon's browser. Resolves to the URL of its websocket.
export function launch(path, args) {
    const profile = mkdtempSync(join(tmpdir(), 'prerenderd-bench-'));
    const isRoot = process.getuid() === 0;
    if (isRoot)
        chownSync(profile, NOBODY, NOBODY);
    const own = args.filter(arg => !/^--(user-data-dir|remote-debugging|disk-cache-dir)/.test(arg));
    // As batch work, like the daemon's.
    const child = spawn('chrt', ['--batch', '0', path, ...own, '--remote-debugging-port=0',
                                 `--user-data-dir=${profile}`], {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {...process.env, HOME: profile},
        ...(isRoot ? {uid: NOBODY, gid: NOBODY} : {}),
    });
    process.on('exit', () => {
        child.kill('SIGKILL');
        rmSync(profile, {recursive: true, force: true, maxRetries: 10});
    });
    return new Promise((resolve, reject) => {
        createInterface({input: child.stderr}).on('line', line => {
            const found = /^DevTools listening on (ws:.*)$/.exec(line);
            if (found)
                resolve(found[1]);
        });
        child.on('exit', code => reject(new Error(`the browser ended with ${code}`)));
    });
}

// One flat connection. An event goes to the handler of its session.
export class Connection {
    #socket;
    #calls = new Map();
    #id = 0;
    handlers = new Map();

    static async open(url) {
        const connection = new Connection();
        connection.#socket = new WebSocket(url, {perMessageDeflate: false, maxPayload: 0});
        await new Promise((resolve, reject) => {
            connection.#socket.on('open', resolve).on('error', reject);
        });
        connection.#socket.on('message', data => connection.#receive(JSON.parse(data)));
        return connection;
    }

    send(method, params = {}, sessionId = undefined) {
        const id = ++this.#id;
        this.#socket.send(JSON.stringify({id, method, params, sessionId}));
        return new Promise((resolve, reject) => this.#calls.set(id, {method, resolve, reject}));
    }

    #receive(message) {
        const call = this.#calls.get(message.id);
        if (call === undefined) {
            this.handlers.get(message.sessionId)?.(message.method, message.params);
            return;
        }
        this.#calls.delete(message.id);
        if (message.error)
            call.reject(new Error(`${call.method}: ${message.error.message}`));
        else
            call.resolve(message.result);
    }
}
