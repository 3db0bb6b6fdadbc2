export const en = {
    signIn: {
        title: 'Sign in',
        operator: 'Operator',
        password: 'Password',
        submit: 'Sign in',
        link: 'On the node itself, this prints a link that signs you in:',
    },
}
