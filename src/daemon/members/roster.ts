/**
 * The members as this node knows them: as the group's configuration lists them, and as
 * the file does before there is one (safety rule 24).
 */

import type { Config, Endpoint } from '../../config/config.ts';
import { parseEndpoint } from '../../config/endpoint.ts';
import { votersOf } from '../../consensus/core/quorum/joint.ts';
import type { MemberDetail, Membership } from '../../consensus/core/types.ts';
import { decodeInfo, infoOfConfig, type MemberInfo } from './member-info.ts';

export type Standing = 'voter' | 'witness' | 'learner';

export interface RosterMember extends MemberInfo {
  readonly id: string;
  readonly standing: Standing;
  /** Undefined when the address can not be read: such a member is not dialled. */
  readonly endpoint: Endpoint | undefined;
  /** Of its data directory; empty where it is not known yet. */
  readonly incarnation: string;
}

export class Roster {
  readonly #self: string;
  readonly #files: Config['members'];
  readonly #onChange: () => void;
  #members: readonly RosterMember[];
  #isGroups = false;

  constructor({ node, members }: Pick<Config, 'node' | 'members'>, onChange: () => void) {
    this.#self = node.id;
    this.#files = members;
    this.#onChange = onChange;
    this.#members = members.map((member) => ({
      id: member.id,
      standing: member.role,
      endpoint: member.address,
      incarnation: '',
      ...infoOfConfig(member),
    }));
  }

  get members(): readonly RosterMember[] {
    return this.#members;
  }

  get others(): readonly RosterMember[] {
    return this.#members.filter(({ id }) => id !== this.#self);
  }

  /** Whether this is what the group says, instead of the file. */
  get isGroups(): boolean {
    return this.#isGroups;
  }

  /** Undefined for a node that is not, or not any more, a member. */
  get self(): RosterMember | undefined {
    return this.find(this.#self);
  }

  find(id: string): RosterMember | undefined {
    return this.#members.find((member) => member.id === id);
  }

  /** Whether it is a member, with that data directory as far as is known. */
  isListed(id: string, incarnation: string): boolean {
    const known = this.find(id);
    return known !== undefined && ['', incarnation].includes(known.incarnation);
  }

  /** The group's configuration is known, or changed. */
  adopt(membership: Membership): void {
    const voters = votersOf(membership);
    const learners = membership.learners.filter((id) => !voters.includes(id));
    this.#isGroups = true;
    this.#members = [...voters, ...learners].map((id) => {
      const isLearner = !voters.includes(id);
      const standing = isLearner ? 'learner' : id === membership.witness ? 'witness' : 'voter';
      return this.#memberOf(id, standing, membership.details[id]);
    });
    this.#onChange();
  }

  /** What the group does not say of a member, the file may. */
  #memberOf(id: string, standing: Standing, detail: MemberDetail | undefined): RosterMember {
    const file = this.#files.find((member) => member.id === id);
    const unknown = { address: '', priority: 0, site: '', canBePrimary: true };
    const own = file === undefined ? unknown : infoOfConfig(file);
    const info = decodeInfo(detail?.info ?? '') ?? own;
    const incarnation = detail?.incarnation ?? '';
    return { id, standing, incarnation, endpoint: parseEndpoint(info.address), ...info };
  }
}

/**
 * The word for a node's place in the service, besides being primary: a learner at a site
 * of its own is there for the loss of all the others.
 */
export function placeOf(roster: Pick<Roster, 'members'>, member: RosterMember): Place {
  if (member.standing === 'witness') return 'witness';
  if (member.standing === 'voter') return 'secondary';
  const isAlone = roster.members.every(
    ({ standing, site }) => standing !== 'voter' || site !== member.site,
  );
  return isAlone && member.site !== '' ? 'dr' : 'replica';
}

export type Place = 'secondary' | 'witness' | 'replica' | 'dr';
