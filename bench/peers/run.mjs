// run.mjs: runs prerenderd and its peers side by side and writes bench/RESULTS.md.
//
//   node run.mjs FOLDER       FOLDER has the daemon, and bench/peers/origin and load
//
// In the environment: QUICK=1 for a run of a few minutes that prints its report and writes
// nothing; PAGES=a,b and ONLY=prerender,floor choose pages and contestants beside the
// daemon, PARTS=latency,mix,rates what is measured (latency always is).

import {spawn} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {availableParallelism} from 'node:os';
import {browserOf, peers, startDaemon} from './contestants.mjs';
import {AFFINITIES, latency, throughput} from './measure.mjs';
import {pages as allPages} from './pages.mjs';
import {report} from './report.mjs';

const root = import.meta.dirname;
const isQuick = process.env.QUICK === '1';
const chosen = (name, list) => list === undefined || list.split(',').includes(name);
const pages = allPages.filter(({name}) => chosen(name, process.env.PAGES));
// What runs at once in the latency part is one; here it is this many.
const CLIENTS = isQuick ? [16] : [1, 4, 16];
const LATENCY_ROUNDS = isQuick ? 1 : 4;
const LATENCY_MS = 8 * 60 * 1000; // No round begins later.
const FAST_REPEATS = isQuick ? 3 : 6;
const MIX_MS = isQuick ? 4000 : 8000;
const WARM_MS = isQuick ? 700 : 2000; // Until scripts are compiled and caches full.
const PAGE_MS = isQuick ? 700 : 4000;
// How often small pages are measured, whose target is the closest; others are once. Neither the
// machine nor a browser is as fast in one minute as in the next.
const SMALL_ROUNDS = isQuick ? 1 : 3;
// Peers whose throughput is measured: the floor has one page only, and a browser for each
// render is slower than all others and would take most of the time.
const isPooled = name => !['floor', 'dump-dom'].includes(name);
const isFast = name => ['prerenderd', 'floor'].includes(name);

function progress(text) {
    if (process.stderr.isTTY || process.env.PROGRESS)
        process.stderr.write(process.stderr.isTTY ? `\r\x1b[K  ${text}` : `${text}\n`);
}

// Where origin.c looks for /svelte/NAME.
function compile() {
    const folder = `${root}/node_modules/.compiled`, name = 'app.svelte';
    const {compile} = createRequire(import.meta.url)('svelte/compiler');
    mkdirSync(folder, {recursive: true});
    writeFileSync(`${folder}/${name}.js`, compile(readFileSync(`${root}/data/${name}`, 'utf8')).js.code);
}

async function startOrigin() {
    compile();
    const child = spawn(`${programs}/origin`, [root], {stdio: ['pipe', 'pipe', 'inherit']});
    const port = await new Promise((resolve, reject) => {
        child.stdout.once('data', resolve);
        child.once('exit', code => reject(new Error(`the origin ended with ${code}`)));
    });
    return {stop: () => child.stdin.end(), port: Number(port)};
}

// A text that the origin serves with the page itself would prove nothing.
async function checkPages(address) {
    for (const page of pages) {
        const html = await (await fetch(address(page))).text();
        const found = page.want.find(text => html.includes(text));
        if (found !== undefined)
            throw new Error(`${page.name}: "${found}" is in the page before any script runs`);
    }
}

async function startAll(program, knobs) {
    const daemon = await startDaemon(program, knobs);
    const browser = browserOf(daemon);
    const environment = {
        BENCH_BROWSER: browser.path,
        BENCH_SWITCHES: JSON.stringify(browser.args),
        BENCH_PAGES: String(2 * availableParallelism()),
    };
    const contestants = [{name: 'prerenderd', ...daemon}];
    for (const peer of peers.filter(({name}) => chosen(name, process.env.ONLY)))
        contestants.push({name: peer.name, ...await peer.start(environment)});
    return {contestants, browser};
}

async function measureMixes(contestants, stage) {
    const mixes = {};
    if (!chosen('mix', process.env.PARTS))
        return mixes;
    for (const clients of CLIENTS) {
        for (const contestant of contestants.filter(({name}) => isPooled(name))) {
            progress(`mix, ${clients} clients: ${contestant.name}`);
            // Without pages that a peer never completes: it would only wait.
            const usable = pages.filter(page => page.name !== 'events');
            mixes[contestant.name] ??= {};
            mixes[contestant.name][clients] = await throughput(
                contestant, clients, MIX_MS, usable, stage);
        }
    }
    return mixes;
}

async function measureRates(contestants, results, stage) {
    if (!chosen('rates', process.env.PARTS))
        return {};
    const pooled = contestants.filter(({name}) => isPooled(name));
    const rates = Object.fromEntries(pooled.map(({name}) => [name, {}]));
    const small = pages.filter(page => page.small);
    for (const page of [...pages, ...Array(SMALL_ROUNDS - 1).fill(small).flat()]) {
        for (const contestant of pooled) {
            const {tries, complete} = results[contestant.name][page.name];
            if (tries > complete)
                continue; // It is not complete when it is alone.
            progress(`throughput, ${page.name}: ${contestant.name}`);
            await throughput(contestant, 16, WARM_MS, [page], stage);
            const one = await throughput(contestant, 16, PAGE_MS, [page], stage);
            const sum = rates[contestant.name][page.name] ??= {complete: 0, seconds: 0};
            sum.complete += one.complete;
            sum.seconds += one.seconds;
            sum.rate = sum.complete / sum.seconds;
        }
    }
    return rates;
}

// What was started ends with this process, however it ends.
for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => process.exit(1));

const [folder] = process.argv.slice(2);
const programs = `${folder}/bench/peers`;
// A page for each affinity: two renders of one affinity follow each other on its warm page.
// Clocks may run ten minutes ahead instead of half a minute before their renderer is replaced,
// which costs more than a small render and would come with every seventh of them.
const knobs = [`--pool.pages_max=${AFFINITIES}`, '--pool.affinity_pages_max=1',
               '--render.clock_skew_max_ms=600000'];
const load = readFileSync('/proc/loadavg', 'utf8').split(' ')[0];
const origin = await startOrigin();
const address = page => `http://127.0.0.1:${origin.port}/pages/${page.name}`;
await checkPages(address);
const stage = {address, loadProgram: `${programs}/load`};
const {contestants, browser} = await startAll(`${folder}/prerenderd`, knobs);
const results = await latency(contestants, pages, address, {
    rounds: LATENCY_ROUNDS,
    end_ms: performance.now() + LATENCY_MS,
    repeats: name => isFast(name) ? FAST_REPEATS : 1,
    progress,
});
const mixes = await measureMixes(contestants, stage);
const rates = await measureRates(contestants, results, stage);
progress('');
const names = contestants.map(({name}) => name);
const text = report({
    results, mixes, rates, pages, names, load,
    peers: names.filter(name => !isFast(name)),
    how: `prerenderd ran with \`${knobs.join(' ')}\`.`,
}, browser.path, 'make bench-peers');
if (isQuick || ['PAGES', 'ONLY', 'PARTS'].some(name => process.env[name] !== undefined))
    console.log(text);
else
    writeFileSync(`${root}/../RESULTS.md`, text);
await Promise.all(contestants.map(contestant => contestant.stop()));
origin.stop();
