/** What a valid configuration allows and yet deserves a word. */

import type { Config } from './config.ts';
import { formatEndpoint, isLoopback, isWildcard } from './endpoint.ts';

type Unwarned = Omit<Config, 'warnings'>;

/** Each a sentence. */
export function warningsOf(config: Unwarned): string[] {
  return [...plaintextWarnings(config), ...memberWarnings(config), ...clientWarnings(config)];
}

function plaintextWarnings({ members, peers, http }: Unwarned): string[] {
  const warnings: string[] = [];
  const isFar = [peers.listen, ...members.map(({ address }) => address)].some(
    (at) => !isLoopback(at),
  );
  if (peers.tls === undefined && isFar) {
    warnings.push('members talk without encryption, and whoever reaches their ports is believed');
  }
  if (peers.tls !== undefined && peers.allowPlaintext) {
    warnings.push('peers.allowPlaintext does nothing beside peers.tls with certificates');
  }
  if (!isLoopback(http.listen)) {
    const place = formatEndpoint(http.listen);
    warnings.push(`http.listen ${place} carries the token without encryption to other machines`);
  }
  return warnings;
}

function memberWarnings({ members, peers, node, timing }: Unwarned): string[] {
  const warnings: string[] = [];
  const voters = members.filter(({ role }) => role === 'voter');
  if (voters.length === 1) warnings.push('a cluster of one voter fails over to nobody');
  else if (voters.filter(({ canBePrimary }) => canBePrimary).length === 1) {
    warnings.push('only one member can be primary, so that nothing takes over from it');
  }
  const own = members.find(({ id }) => id === node.id)?.address;
  const { listen } = peers;
  if (own !== undefined) {
    const isElsewhere =
      listen.port !== own.port || (listen.host !== own.host && !isWildcard(listen));
    if (isElsewhere) {
      const places = `${formatEndpoint(listen)}, while the others call ${formatEndpoint(own)}`;
      warnings.push(`peers.listen is ${places}: something has to translate`);
    }
  }
  if (timing.blipToleranceMs === 0) {
    warnings.push('the timings forgive no lost heartbeat: a longer lease gives room');
  }
  return warnings;
}

function clientWarnings({ address, service, members, node }: Unwarned): string[] {
  const warnings: string[] = [];
  if (members.find(({ id }) => id === node.id)?.role === 'witness') return warnings;
  if (address.length === 0) {
    warnings.push('without an address clients have to find the primary by themselves');
  }
  if (service.driver === 'command' && service.probes.length === 0) {
    warnings.push('without a probe a service that runs but does not answer stays in place');
  }
  return warnings;
}
