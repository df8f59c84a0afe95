// SPDX-License-Identifier: Apache-2.0
//
// `kmsctl catalog`: the products that hosts and simulated clients know, or one of them with its editions and host keys.

import { UserError } from '@kmspool/crds';
import {
  application,
  type HostKey,
  hostKeysCovering,
  PRODUCTS,
  type Product,
  productBySlug,
  SETUP_KEYS,
} from '@kmspool/kms/catalog';
import { Command } from 'commander';
import { EXIT, type Io } from '../cli/io.ts';
import { type OutputFormat, outputOption } from '../cli/options.ts';
import type { VerbContext } from '../cli/program.ts';
import { styleFor } from '../text/style.ts';
import { type Column, tableLines } from '../text/table.ts';

const HELP = `
The counted and SKU IDs are kmspool's own, made from the names; they are not
Microsoft's, and there is no product key here. N is the count from which a
product considers itself activated; V is the KMS protocol version it speaks.

Examples:
  kmsctl catalog                    all products
  kmsctl catalog windows-11         its editions, SKU IDs and host keys
  kmsctl catalog -o json            everything, for a program

Exit codes: 0 printed, 2 there is no such product.`;

/** From here on there is room for the counted IDs. */
const WIDE = 110;

export function catalogCommand({ io, exit }: VerbContext): Command {
  return new Command('catalog')
    .summary('list products, IDs, thresholds and host keys')
    .description(
      'List the products of the catalogue: slug, name, application, IDs, threshold, protocol, and the host keys that cover them.',
    )
    .argument('[product]', 'one product by its slug, such as windows-server-2022')
    .addOption(outputOption())
    .addHelpText('after', HELP)
    .action((slug: string | undefined, { output }: { output: OutputFormat }) => {
      if (output === 'json') printJson(slug, io);
      else io.out(`${(slug === undefined ? listLines(io) : detailLines(known(slug), io)).join('\n')}\n`);
      exit(EXIT.ok);
    });
}

/** The product of that slug. Throws a UserError that lists what there is. */
export function known(slug: string): Product {
  const product = productBySlug(slug);
  if (product !== undefined) return product;
  const slugs = PRODUCTS.map((each) => each.slug);
  throw new UserError(`there is no product ${JSON.stringify(slug)}; use one of ${slugs.join(', ')}`);
}

function printJson(slug: string | undefined, io: Io): void {
  const described = slug === undefined ? PRODUCTS.map(describe) : describe(known(slug));
  io.out(`${JSON.stringify(described, null, 2)}\n`);
}

function describe(product: Product): Record<string, unknown> {
  const { slug, name, kind, generation, threshold, protocolVersion, honoursSrvPriority, countedId, editions } = product;
  return {
    slug,
    name,
    application: product.application,
    applicationId: application(product.application).id,
    kind,
    generation,
    threshold,
    protocolVersion,
    honoursSrvPriority,
    countedId,
    editions: editions.map((edition) => ({
      slug: edition.slug,
      name: edition.name,
      group: edition.group,
      setupKey: setupKeyOf(edition.name),
      skuId: edition.skuId,
    })),
    hostKeys: hostKeysCovering(slug).map((key) => ({ product: key.product, title: key.title, hostOs: key.hostOs })),
  };
}

function listLines(io: Io): string[] {
  const wide = !io.tty || io.columns() >= WIDE;
  const columns: Column[] = [
    { title: 'PRODUCT' },
    { title: 'NAME' },
    { title: 'APPLICATION' },
    { title: 'N', align: 'right' },
    { title: 'V', align: 'right' },
    ...(wide ? [{ title: 'COUNTED ID' }] : []),
    { title: 'HOST KEYS', minWidth: 9 },
  ];
  const rows = PRODUCTS.map((product) => [
    product.slug,
    product.name,
    product.application,
    String(product.threshold),
    String(product.protocolVersion),
    ...(wide ? [product.countedId] : []),
    // The newest first: that is the one to buy.
    hostKeysCovering(product.slug)
      .map((key) => key.product)
      .reverse()
      .join(', '),
  ]);
  return tableLines(rows, { style: styleFor(io.color), columns, ...(io.tty && { width: io.columns() }) });
}

function detailLines(product: Product, io: Io): string[] {
  const style = styleFor(io.color);
  const { name, slug, threshold, protocolVersion, countedId, editions } = product;
  const app = application(product.application);
  const srv = product.honoursSrvPriority ? 'honoured' : 'ignored: any host is as likely as another';
  const width = io.tty ? { width: io.columns() } : {};
  const hasKeys = editions.some(({ name: each }) => setupKeyOf(each) !== undefined);
  const editionRows = editions.map((edition) => [
    edition.slug,
    edition.name,
    edition.group ?? '-',
    ...(hasKeys ? [setupKeyOf(edition.name) ?? '-'] : []),
    edition.skuId,
  ]);
  const keyRows = hostKeysCovering(slug).map((key) => keyRow(key));
  return [
    `${style.bold(name)} (${slug})`,
    `  Application   ${app.title}, ${app.id}`,
    `  Counted ID    ${countedId}`,
    `  Threshold     ${threshold}`,
    `  Protocol      V${protocolVersion}`,
    `  SRV priority  ${srv}`,
    '',
    style.bold('Editions'),
    ...tableLines(editionRows, {
      style,
      indent: '  ',
      columns: [
        { title: 'EDITION' },
        { title: 'NAME', minWidth: 12 },
        { title: 'GROUP' },
        ...(hasKeys ? [{ title: 'SETUP KEY' }] : []),
        { title: 'SKU ID' },
      ],
      ...width,
    }),
    '',
    style.bold('Host keys that cover it'),
    ...tableLines(keyRows, {
      style,
      indent: '  ',
      columns: [{ title: 'HOST KEY' }, { title: 'MAY BE HOSTED ON', minWidth: 20 }],
      ...width,
    }),
  ];
}

/** `…GPDD4`: how the edition's KMS client setup key ends, as slmgr shows it (S3-83). */
function setupKeyOf(editionName: string): string | undefined {
  const key = SETUP_KEYS.find(({ kind, name }) => kind === 'KmsClient' && name === editionName);
  return key === undefined ? undefined : `…${key.lastFive}`;
}

function keyRow({ product, hostOs }: HostKey): string[] {
  return [product, hostOs.join(', ')];
}
