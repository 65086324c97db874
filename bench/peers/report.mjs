// report.mjs: what was measured, as bench/RESULTS.md.

import {execFileSync} from 'node:child_process';
import {cpus, release, totalmem} from 'node:os';
import {version} from './contestants.mjs';
import {median, percentile} from './measure.mjs';

const fixed = (value, digits = 0) => Number.isFinite(value) ? value.toFixed(digits) : '-';
const sum = values => values.reduce((a, b) => a + b, 0);
const geometricMean = values => Math.exp(sum(values.map(Math.log)) / values.length);

function table(head, rows) {
    const line = cells => `| ${cells.join(' | ')} |`;
    return [line(head), line(head.map((_, i) => i === 0 ? '---' : '---:')), ...rows.map(line)]
        .join('\n');
}

function machine(browserPath, load) {
    const versions = ['prerender', 'puppeteer-cluster', 'puppeteer-core', 'playwright-core'];
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'],
                                {cwd: import.meta.dirname}).toString().trim();
    const browser = execFileSync(browserPath, ['--version']).toString().trim();
    return [
        `- ${cpus().length} x ${cpus()[0].model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ` +
            `Linux ${release()}`,
        `- prerenderd at ${commit}; ${browser} for all; Node ${process.version}`,
        `- ${versions.map(name => `${name} ${version(name)}`).join(', ')}`,
        `- load average at the start ${load}`,
    ].join('\n');
}

const nothing = {times: [], tries: 0, complete: 0};
const ofPage = (results, contestant, page) => results[contestant]?.[page.name] ?? nothing;
const isSound = ({times, tries, complete}) => times.length > 0 && complete === tries;
const medianOf = result => isSound(result) ? median(result.times) : NaN;

// Per page the median of the fastest peer that is complete there; NaN without one.
function fastestPeer(results, peers, page) {
    const times = peers.map(peer => medianOf(ofPage(results, peer, page))).filter(Number.isFinite);
    return times.length > 0 ? Math.min(...times) : NaN;
}

function completeness({results, names, pages}) {
    return table(['', ...names], [
        ['pages always complete', ...names.map(name =>
            `${pages.filter(page => isSound(ofPage(results, name, page))).length}/${pages.length}`)],
        ['renders complete', ...names.map(name => {
            const all = pages.map(page => ofPage(results, name, page));
            return `${sum(all.map(r => r.complete))}/${sum(all.map(r => r.tries))}`;
        })],
    ]);
}

function latencies({results, names, pages}) {
    const cell = result => result.times.length === 0 ? 'incomplete' :
        `${fixed(median(result.times))} / ${fixed(percentile(result.times, 95))}` +
            (isSound(result) ? '' : ` (${result.complete} of ${result.tries})`);
    return table(['page', ...names], pages.map(page => [
        page.name, ...names.map(name => cell(ofPage(results, name, page)))]));
}

function mixed({mixes, names}) {
    const rows = [];
    for (const name of names.filter(name => mixes[name] !== undefined)) {
        for (const [clients, mix] of Object.entries(mixes[name]))
            rows.push([name, clients, fixed(mix.rate, 1), `${mix.complete}/${mix.started}`,
                       fixed(mix.ownMs, 1), fixed(mix.browserMs), fixed(mix.ownMb),
                       fixed(mix.browserMb)]);
    }
    return table(['', 'clients', 'complete renders/s', 'complete', 'own CPU ms per render',
                  'browser CPU ms per render', 'own memory MB', 'browser memory MB'], rows);
}

function rates({rates, pages, names}) {
    const shown = names.filter(name => rates[name] !== undefined);
    if (shown.length === 0)
        return 'Not measured.';
    return table(['page', ...shown, 'ratio to the best peer'], pages.map(page => [
        page.name + (page.small ? ' (small)' : ''),
        ...shown.map(name => fixed(rates[name][page.name]?.rate, 1)),
        fixed(rateRatio(rates, page), 1)]));
}

function rateRatio(rates, page) {
    if (rates.prerenderd?.[page.name] === undefined)
        return NaN;
    const best = Math.max(...Object.entries(rates).filter(([name]) => name !== 'prerenderd')
        .map(([, of]) => of[page.name]?.rate ?? 0));
    return best > 0 ? rates.prerenderd[page.name].rate / best : NaN;
}

// [what, value, limit, whether a larger value is better]
function targets({results, mixes, rates, peers, pages}) {
    const ours = page => medianOf(ofPage(results, 'prerenderd', page));
    const ratio = (of, chosen) => sum(chosen.map(ours)) / sum(chosen.map(of));
    const prerender = page => medianOf(ofPage(results, 'prerender', page));
    const floor = page => medianOf(ofPage(results, 'floor', page));
    const fastest = page => fastestPeer(results, peers, page);
    const both = of => pages.filter(page => Number.isFinite(of(page)));
    // What prerender does not complete it has spent time on all the same; only what it
    // completes is counted here, which is to its advantage.
    const small = pages.filter(page => page.small).map(page => rateRatio(rates, page))
        .filter(Number.isFinite);
    const all = pages.map(page => rateRatio(rates, page)).filter(Number.isFinite);
    const ourMixes = Object.values(mixes.prerenderd ?? {});
    const total = sum(ourMixes.map(mix => mix.ownMs + mix.browserMs));
    const own = sum(ourMixes.map(mix => mix.ownMs));
    const complete = pages.filter(page => isSound(ofPage(results, 'prerenderd', page))).length;
    return [
        [`pages always complete, of ${pages.length}`, complete, pages.length, true],
        ['sum of medians, ratio to prerender', ratio(prerender, both(prerender)), 0.2, false],
        ['sum of medians, ratio to the fastest complete peer per page',
         ratio(fastest, both(fastest)), 0.5, false],
        ['sum of medians, ratio to the floor', ratio(floor, both(floor)), 1.1, false],
        ['throughput, 16 clients, small pages: geometric mean of ratios to the best peer',
         geometricMean(small), 5, true],
        ['throughput, 16 clients, all pages: geometric mean', geometricMean(all), 1.5, true],
        ['throughput, 16 clients: worst page', Math.min(...all), 1.1, true],
        ["the daemon's own share of CPU time, %", 100 * own / total, 5, false],
    ];
}

export function report(measured, browserPath, command) {
    const sums = measured.names.map(name => {
        const own = measured.pages.map(page => medianOf(ofPage(measured.results, name, page)))
            .filter(Number.isFinite);
        return `${fixed(sum(own) / 1000, 2)} s (${own.length})`;
    });
    const rows = targets(measured).map(([what, value, limit, isMore]) => [
        what, fixed(value, 2), `${isMore ? 'at least' : 'at most'} ${limit}`,
        !Number.isFinite(value) ? 'not measured' :
            (isMore ? value >= limit : value <= limit) ? 'met' : 'NOT MET']);
    return `# Results of the comparison with peers

Written by \`${command}\`; do not edit. All contestants ran in one run on one machine, in
turns; absolute times depend on the machine, ratios much less. ${measured.how}

${machine(browserPath, measured.load)}

## Targets

${table(['', 'measured', 'target', ''], rows)}

## Completeness

A result is complete when it holds the required text of its page (bench/peers/pages.mjs).

${completeness(measured)}

## Time per page, one client: median / p95 in ms

The peers' time is that of whole renders, prerenderd's from connect to the last byte, the
floor's from its first command to the document. Only complete results count.

${latencies(measured)}

Sum of medians over the pages that are always complete (their number):

${table(['', ...measured.names], [['', ...sums]])}

## A mix of all pages: throughput, CPU time, memory

Memory is the proportional set size at the end. 16 clients use 8 affinities in prerenderd;
the peers have no such thing.

${mixed(measured)}

## Throughput per page, 16 clients: complete renders per second

The same clients render the page for two seconds before it is measured; small pages are
measured three times, minutes apart. prerenderd and prerender are asked over HTTP, by a C program
that keeps its connections; the scripts get messages of their parent.

${rates(measured)}
`;
}
