// process.mjs: what a tree of processes has used, from /proc.

import {readdirSync, readFileSync} from 'node:fs';

const TICK_MS = 10; // sysconf(_SC_CLK_TCK) is 100 on every Linux that Node runs on.

function stat(pid) {
    try {
        const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
        const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
        const time = index => Number(fields[index - 3]) * TICK_MS;
        // `endedMs`: of its children that have ended, and theirs.
        return {pid, parent: Number(fields[1]), ms: time(14) + time(15),
                endedMs: time(16) + time(17)};
    } catch {
        return null;
    }
}

// The processes below `pid`, itself included, from one reading of /proc.
export function processes(pid) {
    const all = readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(name => stat(Number(name)))
        .filter(entry => entry !== null);
    const found = all.filter(entry => entry.pid === pid);
    for (let i = 0; i < found.length; i++)
        found.push(...all.filter(entry => entry.parent === found[i].pid));
    return found;
}

function pss(pid) {
    try {
        return Number(/^Pss: *(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1]);
    } catch {
        return 0;
    }
}

// CPU time so far in ms and resident memory in MB, shared memory counted in parts (PSS).
// `pid` is that of the daemon or script, which counts alone; the browser is what is below, and
// what has been there and has ended.
export function usage(pid) {
    const [self, ...below] = processes(pid);
    const sum = (items, of) => items.reduce((total, item) => total + of(item), 0);
    return {
        own: {ms: self?.ms ?? 0, mb: pss(pid) / 1024},
        browser: {ms: (self?.endedMs ?? 0) + sum(below, entry => entry.ms + entry.endedMs),
                  mb: sum(below, entry => pss(entry.pid)) / 1024},
    };
}
