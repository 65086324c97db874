// Ends with 0 when the file named by its argument is a valid OpenAPI document, with 1 and the
// errors when it is not.
import { readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';

const result = await new Validator().validate(JSON.parse(readFileSync(process.argv[2], 'utf8')));
if (!result.valid) console.log(JSON.stringify(result.errors, null, 1).slice(0, 2000));
process.exit(result.valid ? 0 : 1);
