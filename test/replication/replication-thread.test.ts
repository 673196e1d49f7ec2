/** The scenarios of replication, with each replicator in a thread of its own. */

import { runScenarios } from './scenarios.ts';

runScenarios('in threads');
