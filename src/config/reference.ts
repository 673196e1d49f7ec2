/** Writes `docs/configuration.md` from the schema, so that it can not fall behind. */

import type { TSchema } from '@sinclair/typebox';
import { type SchemaKey, schemaKeys } from './schema-keys.ts';

const HEAD = `# Configuration

One YAML file describes one member: \`mailraft.yaml\`. \`mailraft check\` validates it and prints every
fault with its line. This page is made from the same schema that validates the file;
[configuration.schema.json](configuration.schema.json) is that schema for editors.

- A duration has a unit: \`250ms\`, \`2s\`, \`5m\`, \`1h\`. So has a size: \`64KiB\`, \`10MiB\`, \`10GiB\`.
- A relative path starts at the folder of the file.
- \`\${NAME}\` is not expanded. Secrets are in files of their own.
- An anchor with aliases may name a single value, not a list or a mapping.
- What only a later version honours is refused as "not in this version", never ignored.

## Example

\`\`\`yaml
cluster: example
node:
  id: mail1
  dataDir: /var/lib/mailraft
members:
  - { id: mail1, address: 10.77.0.11:7400, priority: 100, site: tokyo, origin: true }
  - { id: mail2, address: 10.77.0.12:7400, priority: 50, site: tokyo }
  - { id: mail3, address: 10.77.0.13:7400, site: osaka }
peers:
  tls: { ca: ca.pem, cert: mail1.pem, key: mail1.key }
volumes:
  - { name: mail, path: /srv/mail, exclude: ["*.lck", "tmp/"] }
service:
  driver: command
  start: [/usr/sbin/maild, --foreground]
  probes:
    - { type: smtp, address: 10.77.0.100:25 }
address:
  - { driver: ip, address: 10.77.0.100/24, interface: eth0 }
timing: default
\`\`\`
`;

/** The whole page. */
export function configurationReference(): string {
  const keys = schemaKeys();
  const present = keys.filter(({ isLater }) => !isLater);
  const later = keys.filter(({ isLater }) => isLater);
  return [
    HEAD,
    '## Keys\n',
    ...present.map(paragraph),
    '## Not in this version\n',
    ...later.map(({ key, schema }) => `- \`${key}\`: ${schema['description']}`),
    '',
  ].join('\n');
}

function paragraph({ key, schema, variant, isRequired }: SchemaKey): string {
  const title = variant === '' ? quoted(key) : `${quoted(key)} (${variant})`;
  const later: readonly string[] = schema['later'] ?? [];
  const facts = [
    `Accepted: ${schema['accepted']}.`,
    isRequired ? 'Required.' : defaultOf(schema),
    later.length === 0 ? '' : `Not in this version: ${later.map(quoted).join(', ')}.`,
  ].filter((fact) => fact !== '');
  return `### ${title}\n\n${schema['description']}\n\n${facts.join(' ')}\n`;
}

/** Those that depend on other keys are in the description. */
function defaultOf({ default: value }: TSchema): string {
  const isEmpty = typeof value === 'object' && Object.keys(value).length === 0;
  if (value === undefined || isEmpty) return 'Optional.';
  return `Default: ${quoted(typeof value === 'string' ? value : JSON.stringify(value))}.`;
}

function quoted(text: string): string {
  return `\`${text}\``;
}
