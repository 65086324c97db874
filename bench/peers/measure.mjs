// measure.mjs: how long contestants take, how much they do at once, and what it costs.

import {spawn} from 'node:child_process';
import {json} from 'node:stream/consumers';
import {isComplete} from './pages.mjs';
import {usage} from './process.mjs';

export const AFFINITIES = 8; // What clients at once are spread over.
const PAUSE_MS = 40; // Between two renders: what the one before leaves behind comes to rest.
const FAILURES_MAX = 2; // A page that a peer has failed so often is not asked of it again.

export const percentile = (values, percent) => {
    const sorted = [...values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * percent / 100))];
};
export const median = values => percentile(values, 50);
const pause = () => new Promise(resolve => setTimeout(resolve, PAUSE_MS));

// Renders one page; `ok` says whether it is complete.
async function attempt(contestant, page, url, affinity) {
    try {
        const {html, ms} = await contestant.render(url, affinity);
        return {ok: isComplete(page, html), ms};
    } catch (error) {
        return {ok: false, ms: NaN, error: error.message};
    }
}

// Every page by every contestant, in turns, so that noise meets all alike. `repeats` says
// how often in a row: fast ones need more samples for a percentile, and can afford them.
// After `end_ms` (of performance.now()) no further round begins, but one is always measured.
// Returns by contestant and page {times, tries, complete, error}.
export async function latency(contestants, pages, address, {rounds, end_ms, repeats, progress}) {
    const results = {};
    for (const {name} of contestants)
        results[name] = Object.fromEntries(pages.map(page => [
            page.name, {times: [], tries: 0, complete: 0, error: ''}]));
    for (let round = -1; round < rounds && (round < 1 || performance.now() < end_ms); round++) {
        for (const page of pages) {
            // Who is first changes from round to round.
            const order = contestants.map((_, i) => contestants[(i + round + 1) % contestants.length]);
            for (const contestant of order) {
                const result = results[contestant.name][page.name];
                // Round -1 warms caches up; only the fast ones have any.
                const count = round >= 0 ? repeats(contestant.name) :
                              repeats(contestant.name) > 1 ? 1 : 0;
                for (let i = 0; i < count; i++) {
                    if (result.tries - result.complete >= FAILURES_MAX)
                        break;
                    await pause();
                    const {ok, ms, error} = await attempt(contestant, page, address(page));
                    if (round < 0)
                        continue;
                    result.tries++;
                    result.complete += ok;
                    result.error = error ?? result.error;
                    if (ok)
                        result.times.push(ms);
                }
            }
            progress(`latency, round ${round + 1} of ${rounds}: ${page.name}`);
        }
    }
    return results;
}

// Renders by a script, which is asked by messages. As load.c does it.
async function loadScript(contestant, clients, ms, pages, {address}) {
    let started = 0, complete = 0;
    const start = performance.now();
    await Promise.all(Array.from({length: clients}, async () => {
        while (performance.now() - start < ms) {
            const page = pages[started++ % pages.length];
            const {ok} = await attempt(contestant, page, address(page));
            complete += ok;
        }
    }));
    return {started, complete, seconds: (performance.now() - start) / 1000};
}

// Renders by a server, which load.c asks: a script would take much more of the processors,
// and from the fastest server most.
function loadServer(contestant, clients, ms, pages, {address, loadProgram}) {
    const plan = Array.from({length: clients}, (_, client) => pages.map(page => ({
        ...contestant.request(address(page), `a${client % AFFINITIES}`), want: page.want})));
    const child = spawn(loadProgram, [ms], {stdio: ['pipe', 'pipe', 'inherit']});
    child.stdin.end(JSON.stringify(plan));
    return json(child.stdout);
}

// `clients` at once, which start renders for `ms`, the pages in turns; those that run then are
// waited for. Returns renders per second, and CPU time per render.
export async function throughput(contestant, clients, ms, pages, stage) {
    const load = contestant.request === undefined ? loadScript : loadServer;
    const before = usage(contestant.pid);
    const {started, complete, seconds} = await load(contestant, clients, ms, pages, stage);
    const after = usage(contestant.pid);
    return {
        rate: complete / seconds, started, complete, seconds,
        ownMs: (after.own.ms - before.own.ms) / started,
        browserMs: (after.browser.ms - before.browser.ms) / started,
        ownMb: after.own.mb, browserMb: after.browser.mb,
    };
}
