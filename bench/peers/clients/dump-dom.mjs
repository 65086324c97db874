// The browser's own --dump-dom: a process for each render.
import {execFile} from 'node:child_process';
import {promisify} from 'node:util';
import {browserArgs, browserPath, serve} from '../clients.mjs';

serve(async url => {
    const {stdout} = await promisify(execFile)(
        browserPath, [...browserArgs, '--headless', '--dump-dom', url],
        {maxBuffer: 64 << 20, timeout: 30000});
    return stdout;
});
