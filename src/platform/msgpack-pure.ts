/** Must run before msgpackr does: it looks at the environment while it loads. */

process.env['MSGPACKR_NATIVE_ACCELERATION_DISABLED'] = 'true';
