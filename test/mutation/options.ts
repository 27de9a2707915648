/*
 * All tests of options in one file, so that a mutation run loads the package once for each change. Tests that end soon come first:
 * after the first test that fails, the rest does not run.
 */
import '../options/values.test';
import '../options/options.test';
import '../options/groups.test';
import '../options/mistakes.test';
import '../options/wrong-options.test';
import '../documents/options.test';
import '../middleware/configuration.test';
import '../middleware/user-functions.test';
