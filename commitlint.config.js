// The form of a commit message, section "Commits" of CONTRIBUTING.md. Nothing has to be installed for it:
//   npx @commitlint/cli@20 --from origin/main
export default {
  rules: {
    'type-empty': [2, 'never'],
    'type-enum': [
      2,
      'always',
      ['feat', 'fix', 'perf', 'refactor', 'test', 'docs', 'build', 'ci', 'style', 'chore'],
    ],
    'scope-case': [2, 'always', 'kebab-case'],
    'subject-empty': [2, 'never'],
    'subject-case': [2, 'never', ['sentence-case', 'start-case', 'pascal-case', 'upper-case']],
    'subject-full-stop': [2, 'never', '.'],
    'header-max-length': [2, 'always', 72],
    // The body says why; it is prose and wraps where the reader's window does.
    'body-empty': [2, 'never'],
    'body-leading-blank': [2, 'always'],
  },
};
