/* All tests of options in one file, so that a mutation run loads the package once for each change. */
import '../options/groups.test';
import '../options/mistakes.test';
import '../options/options.test';
import '../options/wrong-options.test';
import '../documents/options.test';
import '../client-authentication/client-key.test';
import '../options/values.test';
import '../middleware/user-functions.test';
