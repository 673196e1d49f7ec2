/** The scenarios of replication, with the replicators in the test's own thread. */

import { runScenarios } from './scenarios.ts';

runScenarios('in process');
